"""Write the definitions of all metrics from the registry: docs, doc blocks, semantic metrics.

`seeds/metrics.csv` is the one place where a metric is defined, and the YAML of a mart says what the
mart is. The generated files are committed, so that they can be read and reviewed; `--check` says
whether they are what the registry says today.
"""

import csv
import re
from collections import Counter
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import click
import yaml

ROOT = Path(__file__).resolve().parents[1]
SEED = "seeds/metrics.csv"
PAGE = "docs/metrics.md"
BLOCKS = "docs/metric_blocks.md"
SEMANTIC = "models/semantic/metrics.yml"
# The mart whose metrics are in the cube: weighted counts that add up.
CUBED = "accuracy_rates"
# Without one of these a reader cannot use the number.
NEEDED = (
    "metric_name",
    "mart",
    "anchor",
    "unit",
    "format",
    "owner",
    "since",
    "meaning",
    "question",
    "population",
    "exclusions",
    "maturity",
    "not_to_be_read_as",
    "counter_metric",
)
DIRECTIONS = {"true": "more is better", "false": "less is better", "": "neither is better"}
INTRODUCTION = """# Metrics

What each published number asks, counts and leaves out, and who answers for it. Generated from
`seeds/metrics.csv` by `make metrics`: change it there. Words that end in `_days` are variables of
`dbt_project.yml`. A counter-metric is the one to look at beside a metric: it gets worse where the
metric is made better in the wrong way. Definitions worked through with numbers are in
[decisions.md](decisions.md#definitions-worked).
"""

Metric = dict[str, str]


class Mart(NamedTuple):
    """A mart that holds metrics."""

    name: str
    file: str
    sentence: str


def read_metrics(project: Path) -> list[Metric]:
    """The rows of the registry, by mart as they come, the versions of a metric together."""
    with (project / SEED).open(encoding="utf-8", newline="") as file:
        metrics = list(csv.DictReader(file))
    marts = list(dict.fromkeys(metric["mart"] for metric in metrics))
    ids = list(dict.fromkeys(metric["metric_id"] for metric in metrics))
    return sorted(
        metrics,
        key=lambda metric: (
            marts.index(metric["mart"]),
            ids.index(metric["metric_id"]),
            int(metric["metric_version"]),
        ),
    )


def read_marts(project: Path, names: set[str]) -> dict[str, Mart]:
    """Those of the models that exist, by name, with the first sentence of their description."""
    marts = {}
    for file in (project / "models").rglob("*.yml"):
        if file.stem in names:
            (model,) = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
            sentence = re.split(r"(?<=[.?])\s", model["description"], maxsplit=1)[0]
            marts[file.stem] = Mart(file.stem, file.relative_to(project).as_posix(), sentence)
    return marts


def faults(metrics: list[Metric], marts: dict[str, Mart], variables: set[str]) -> list[str]:
    """What keeps the registry from being a catalogue, a sentence each."""
    found = []
    ids = {metric["metric_id"] for metric in metrics}
    versions = Counter((metric["metric_id"], metric["metric_version"]) for metric in metrics)
    found += [
        f"{metric_id}: version {version} is defined {n} times"
        for (metric_id, version), n in versions.items()
        if n > 1
    ]
    for metric in metrics:
        metric_id = metric["metric_id"]
        empty = [column for column in NEEDED if not metric[column].strip()]
        found += [f"{metric_id}: {column} is empty" for column in empty]
        if metric["question"] and not metric["question"].endswith("?"):
            found.append(f"{metric_id}: its question has no question mark")
        if metric["mart"] and metric["mart"] not in marts:
            found.append(f"{metric_id}: no model is called {metric['mart']}")
        counter = metric["counter_metric"]
        if counter and counter not in ids - {metric_id}:
            found.append(f"{metric_id}: counter_metric {counter} is no other metric")
        found += [
            f"{metric_id}: maturity names {variable}, which is no variable of dbt_project.yml"
            for variable in re.findall(r"\w+_days\b", metric["maturity"])
            if variable not in variables
        ]
        if metric["since"] and not is_day(metric["since"]):
            found.append(f"{metric_id}: since is not a day such as 2026-03-02")
    return found


def is_day(text: str) -> bool:
    """Whether the text is a day in ISO's form."""
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def versioned(metric: Metric, between: str) -> str:
    """The id of a metric, with its version after the first: what has a name keeps its meaning."""
    version = metric["metric_version"]
    return metric["metric_id"] if version == "1" else f"{metric['metric_id']}{between}{version}"


def headings(metrics: list[Metric]) -> list[tuple[str, Metric]]:
    """Each metric with its heading."""
    return [(versioned(metric, " version "), metric) for metric in metrics]


def anchor(heading: str) -> str:
    """What a forge makes of a heading in a link."""
    return heading.lower().replace(" ", "-")


def formula(metric: Metric) -> str:
    """Numerator and denominator as the mart or its cells name them, or the column that has it."""
    numerator, denominator = metric["numerator"], metric["denominator"]
    # An estimate is finished: the denominator says only how many cases it rests on.
    if numerator == "estimate" or not denominator:
        return f"In column `{numerator}`"
    return f"`{numerator}` / `{denominator}`"


def section(heading: str, metric: Metric) -> str:
    """What the page says of one metric."""
    counter = metric["counter_metric"]
    target = f", target `{metric['target']}` of the queues" if metric["target"] else ""
    direction = DIRECTIONS[metric["higher_is_better"].lower()]
    lines = [
        f"### {heading}",
        "",
        f"**{metric['metric_name']}** (version {metric['metric_version']}). {metric['question']}",
        "",
        f"- Definition: {metric['meaning']}. {formula(metric)}.",
        f"- Population: {metric['population']}.",
        f"- Left out: {metric['exclusions']}.",
        f"- Period: by `{metric['anchor']}`. Final: {metric['maturity']}.",
        f"- Unit: {metric['unit']}, shown as {metric['format']}; {direction}{target}.",
        f"- Not to be read as {metric['not_to_be_read_as']}.",
        f"- Counter-metric: [{counter}](#{anchor(counter)}).",
        f"- Owner: {metric['owner']}, since {metric['since']}.",
    ]
    return "\n".join(lines) + "\n"


def page(metrics: list[Metric], marts: dict[str, Mart]) -> str:
    """The catalogue as a document: contents, then a section for each metric, by mart."""
    contents = []
    sections = []
    for name, of_mart in groupby(headings(metrics), key=lambda each: each[1]["mart"]):
        found, mart = list(of_mart), marts[name]
        links = ", ".join(f"[{heading}](#{anchor(heading)})" for heading, _ in found)
        contents.append(f"- [{name}](#{anchor(f'Mart {name}')}): {links}")
        sections.append(f"## Mart {name}\n\n{mart.sentence} [Columns](../{mart.file}).\n")
        sections += [section(heading, metric) for heading, metric in found]
    return "\n".join([INTRODUCTION, "\n".join(contents) + "\n", *sections])


def block(name: str, text: str) -> str:
    """A doc block of dbt."""
    return f"{{% docs {name} %}}\n{text}\n{{% enddocs %}}\n"


def item(metric: Metric, *, is_whole: bool) -> str:
    """A metric in a list (dbt's page is too narrow for a table): in its mart whole, else a link."""
    mart = f"[{metric['mart']}](#!/model/model.moderation_quality.{metric['mart']})"
    place = "" if is_whole else f", in {mart}"
    definition = f" {metric['meaning']}. Left out: {metric['exclusions']}." if is_whole else ""
    return (
        f"- **{metric['metric_name']}** (`{metric['metric_id']}`, version "
        f"{metric['metric_version']}{place}). {metric['question']}{definition} "
        f"Not to be read as {metric['not_to_be_read_as']}. "
        f"Owner: {metric['owner']}, since {metric['since']}."
    )


def blocks(metrics: list[Metric]) -> str:
    """Doc blocks: a list of all metrics, and the definitions that each mart holds."""
    found = [
        block("metric_catalog", "\n".join(item(metric, is_whole=False) for metric in metrics)),
    ]
    for mart, of_mart in groupby(metrics, key=lambda metric: metric["mart"]):
        definitions = "\n".join(item(metric, is_whole=True) for metric in of_mart)
        found.append(block(f"metrics_of_{mart}", definitions))
    return "\n".join(found)


def semantic(metrics: list[Metric]) -> str:
    """The metrics of the cube for MetricFlow, each with what people read of it."""
    found = [
        {
            "name": versioned(metric, "_v"),
            "label": metric["metric_name"],
            "description": f"{metric['question']} {metric['meaning']}. Not to be read as "
            f"{metric['not_to_be_read_as']}.",
            "type": "ratio",
            "type_params": {
                "numerator": "weighted_numerator",
                "denominator": "weighted_denominator",
            },
            "filter": "{{ Dimension('audited_cell__metric_id') }} = "
            f"'{metric['metric_id']}' and "
            f"{{{{ Dimension('audited_cell__metric_version') }}}} = {metric['metric_version']}",
            "config": {"meta": {"owner": metric["owner"], "format": metric["format"]}},
        }
        for metric in metrics
        if metric["mart"] == CUBED
    ]
    heading = "# Generated from seeds/metrics.csv by `make metrics`: change it there.\n"
    text = yaml.safe_dump({"metrics": found}, sort_keys=False, width=100, allow_unicode=True)
    return f"{heading}version: 2\n\n{text}"


def catalogue(project: Path) -> dict[str, str]:
    """What the generated files should say, by their path in the project.

    Raises:
        click.ClickException: where a metric is defined twice, or not wholly.
    """
    metrics = read_metrics(project)
    marts = read_marts(project, {metric["mart"] for metric in metrics})
    settings = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    found = faults(metrics, marts, set(settings["vars"]))
    if found:
        raise click.ClickException("\n".join([f"{SEED} is no catalogue:", *found]))
    return {
        PAGE: page(metrics, marts),
        BLOCKS: blocks(metrics),
        SEMANTIC: semantic(metrics),
    }


@click.command(context_settings={"max_content_width": 100})
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a file is stale.")
@click.option(
    "--project",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=ROOT,
    show_default="the project of this script",
    help="The folder of the dbt project.",
)
def main(check: bool, project: Path) -> None:
    """Write docs/metrics.md, docs/metric_blocks.md and models/semantic/metrics.yml.

    All from seeds/metrics.csv.

    Exits with 1 where a metric is defined twice or not wholly, and with --check where a file is not
    what would be written.
    """
    files = catalogue(project)
    stale = [
        name
        for name, text in files.items()
        if not (project / name).exists() or (project / name).read_text(encoding="utf-8") != text
    ]
    if check and stale:
        raise click.ClickException(f"{', '.join(stale)}: not what {SEED} says. Run `make metrics`.")
    for name in stale:
        (project / name).write_text(files[name], encoding="utf-8")
    click.echo(f"Written: {', '.join(stale)}" if stale else "All metrics are as the registry says.")


if __name__ == "__main__":
    main()
