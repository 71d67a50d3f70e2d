"""Dbt in this process, without work that no test reads. What dbt builds and says stays the same.

Only pytest's processes do this: users have dbt as it is, and so have the tests that start dbt as a
process of its own.
"""

import functools

import jinja2
from dbt.compilation import Linker
from dbt_common.clients import jinja as dbt_jinja
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager import EventManager

NOBODY_READS = (EventLevel.DEBUG, EventLevel.TEST)


def speed_up() -> None:
    """Change dbt in this process, once."""
    _skip_debug_events()
    _compile_each_template_once()
    # For a file, graph_summary.json.
    Linker.get_graph_summary = lambda linker, manifest: {}


@functools.cache
def _skip_debug_events() -> None:
    """Each statement and connection is an event: most of them are written out for no log."""
    fire = EventManager.fire_event

    def fire_event(manager, event, level=None, *arguments, **options) -> None:
        if (level or event.level_tag()) not in NOBODY_READS or any(
            logger.level in NOBODY_READS for logger in manager.loggers
        ):
            fire(manager, event, level, *arguments, **options)

    EventManager.fire_event = fire_event


@functools.cache
def _compile_each_template_once() -> None:
    """Dbt compiles the Jinja of a model or test anew in each run; of macros it keeps it itself."""
    compiled = {}
    compile_anew = jinja2.Environment.compile

    def compile_once(environment, source, *arguments, **options):
        if arguments or options or not isinstance(source, str):
            return compile_anew(environment, source, *arguments, **options)
        key = type(environment), source
        if key not in compiled:
            compiled[key] = compile_anew(environment, source)
        return compiled[key]

    dbt_jinja.MacroFuzzEnvironment.compile = compile_once
