"""What a Power BI model says, without Power BI: TMDL read, and DAX evaluated over data frames.

The engine is not Microsoft's. sidemantic-dax parses a formula; here it is evaluated, with the few
functions that the project uses, as Microsoft's reference describes them. What is not known is an
error, never a guess.
"""

import math
import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from sidemantic_dax import ast

HEADER = re.compile(
    r"(\t*)(table|column|measure|partition|relationship|expression) "
    r"('(?:[^']|'')*'|\S+)(?: = ?(.*))?"
)


def plain(name):
    """A name without the quotes of TMDL."""
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


@dataclass
class Part:
    """A table, column, measure, relationship, partition or parameter of a model."""

    kind: str
    name: str
    depth: int
    description: str = ""
    expression: str = ""
    properties: dict = field(default_factory=dict)
    parts: list = field(default_factory=list)

    def of(self, kind):
        """Its parts of a kind, by name."""
        return {part.name: part for part in self.parts if part.kind == kind}


def read(folder):
    """The model in a folder `definition`: a Part of kind model."""
    model = Part("model", "Model", -1)
    for file in sorted(folder.rglob("*.tmdl")):
        above, said, open_ = [], [], model
        for line in file.read_text(encoding="utf-8").splitlines():
            header = HEADER.fullmatch(line)
            if line.lstrip("\t").startswith("///"):
                said.append(line.split("/// ", 1)[1])
            elif header and not (open_.kind == "measure" and len(header[1]) > open_.depth):
                depth = len(header[1])
                above = [part for part in above if part.depth < depth]
                open_ = Part(header[2], plain(header[3]), depth, "\n".join(said), header[4] or "")
                (above[-1] if above else model).parts.append(open_)
                above.append(open_)
                said = []
            elif open_ is not model and line.startswith("\t" * (open_.depth + 2)):
                open_.expression += "\n" + line.strip("\t")
            elif line.strip() and not re.match(r"\t*annotation ", line) and open_ is not model:
                name, _, value = line.strip().partition(": ")
                open_.properties[name] = value or True
    return model


def relationships(model):
    """{(table of many, table of one): (column of many, column of one)}."""
    found = {}
    for one in model.of("relationship").values():
        ends = [
            [plain(part) for part in re.fullmatch(r"('[^']+'|\w+)\.('[^']+'|\w+)", end).groups()]
            for end in (one.properties["fromColumn"], one.properties["toColumn"])
        ]
        found[ends[0][0], ends[1][0]] = (ends[0][1], ends[1][1])
    return found


def columns_named(node):
    """(table, column) of every reference in a formula."""
    if isinstance(node, ast.TableColumnRef):
        yield node.table.name, node.column
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for part in value if isinstance(value, list | tuple) else [value]:
            yield from columns_named(part)


def functions_named(node):
    """The names of the functions that a formula calls."""
    if isinstance(node, ast.FunctionCall):
        yield node.name.upper()
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for part in value if isinstance(value, list | tuple) else [value]:
            yield from functions_named(part)


def number(value):
    """A value where DAX takes what is blank for 0."""
    return 0 if value is None else value


def added(left, right, sign=1):
    return None if left is None and right is None else number(left) + sign * number(right)


def multiplied(left, right):
    return None if left is None or right is None else left * right


def divided(left, right):
    if not number(right):
        raise ZeroDivisionError("DAX says infinity, or NaN: use DIVIDE")
    return None if left is None else left / right


BINARY = {
    "Add": added,
    "Sub": lambda left, right: added(left, right, -1),
    "Mul": multiplied,
    "Div": divided,
    "Pow": lambda left, right: number(left) ** number(right),
    "Gt": lambda left, right: number(left) > number(right),
    "Eq": lambda left, right: number(left) == number(right),
    "And": lambda left, right: bool(left) and bool(right),
}


class Engine:
    """Evaluates the measures of a model in a filter context.

    Args:
        model: as `read` gives it.
        rows: {table: data frame} with the names that columns have in the model.
    """

    def __init__(self, model, rows):
        self.rows = rows
        self.relationships = relationships(model)
        self.formulas = {
            name: measure.expression
            for table in model.of("table").values()
            for name, measure in table.of("measure").items()
        }
        self.rows_left = cache(self._rows_left)

    def value(self, measure, chosen):
        """The value of a measure where columns are filtered to one value each.

        Args:
            measure: its name.
            chosen: {(table, column): value}.
        """
        return self._evaluate(parsed(self.formulas[measure]), frozenset(chosen.items()), {})

    def _rows_left(self, table, chosen):
        """Which rows of a table a filter context leaves.

        A filter of the table itself, or of a table that it is related to as the many; the others do
        not reach it.
        """
        rows = self.rows[table]
        left = np.ones(len(rows), bool)
        for (other, column), value in chosen:
            if other == table:
                left &= (rows[column] == value).to_numpy()
            elif (table, other) in self.relationships:
                many, one = self.relationships[table, other]
                keys = self.rows[other].loc[self.rows[other][column] == value, one]
                left &= rows[many].isin(keys).to_numpy()
        return left

    def _column(self, node, chosen):
        """The values of a column that are there and not blank."""
        assert isinstance(node, ast.TableColumnRef), node
        values = self.rows[node.table.name][node.column]
        return values[self.rows_left(node.table.name, chosen)].dropna()

    def _evaluate(self, node, chosen, variables):
        """The value of an expression: a number, a truth, or None for blank."""
        name = type(node).__name__
        if name == "FunctionCall" and node.name in ("CALCULATE", "IF", "SUM", "AVERAGE"):
            name = node.name
        return getattr(self, f"_of_{name.lower()}")(node, chosen, variables)

    def _of_varblock(self, node, chosen, variables):
        variables = dict(variables)
        for one in node.decls:
            variables[one.name] = self._evaluate(one.expr, chosen, variables)
        return self._evaluate(node.body, chosen, variables)

    def _of_number(self, node, chosen, variables):
        return float(node.value)

    def _of_identifier(self, node, chosen, variables):
        return variables[node.name]

    def _of_paren(self, node, chosen, variables):
        return self._evaluate(node.expr, chosen, variables)

    def _of_unary(self, node, chosen, variables):
        assert node.op is ast.UnaryOp.not_, node
        return not self._evaluate(node.expr, chosen, variables)

    def _of_binary(self, node, chosen, variables):
        left, right = (self._evaluate(part, chosen, variables) for part in (node.left, node.right))
        return BINARY[node.op.value](left, right)

    def _of_if(self, node, chosen, variables):
        test, *branches = node.args
        taken = branches[:1] if self._evaluate(test, chosen, variables) else branches[1:]
        return self._evaluate(taken[0], chosen, variables) if taken else None

    def _of_calculate(self, node, chosen, variables):
        inside, *filters = node.args
        return self._evaluate(inside, self._filtered(chosen, filters), variables)

    def _of_sum(self, node, chosen, variables):
        values = self._column(node.args[0], chosen)
        return None if values.empty else math.fsum(values)

    def _of_average(self, node, chosen, variables):
        values = self._column(node.args[0], chosen)
        return None if values.empty else math.fsum(values) / len(values)

    def _of_functioncall(self, node, chosen, variables):
        return SCALAR[node.name](*(self._evaluate(part, chosen, variables) for part in node.args))

    @staticmethod
    def _filtered(chosen, filters):
        """A filter context in which filters of the same columns are replaced."""
        changed = dict(chosen)
        for one in filters:
            assert one.op == ast.BinaryOp.eq, one
            value = one.right.value
            value = int(value) if isinstance(one.right, ast.Number) else value
            changed[one.left.table.name, one.left.column] = value
        return frozenset(changed.items())


def of_two(least):
    """MIN or MAX of two: blank counts as 0, and of two blanks it is blank."""
    return lambda *pair: None if pair == (None, None) else least(map(number, pair))


SCALAR = {
    "DIVIDE": lambda left, right: None if left is None or not number(right) else left / right,
    "ISBLANK": lambda value: value is None,
    "MIN": of_two(min),
    "MAX": of_two(max),
    "SQRT": lambda value: math.sqrt(number(value)),
}


@cache
def parsed(formula):
    """The syntax tree of a formula.

    Raises:
        ValueError: it is no DAX.
    """
    return ast.parse_expression(formula.strip())
