"""sqlfluff, with Python's garbage collector run less often: a third less time on this project.

It takes sqlfluff's own arguments. Its workers are new processes that import this file, so that the
setting holds in them too. Without any collection, two workers would take 3 GB instead of 1.5.
"""

import gc

from sqlfluff.cli.commands import cli

gc.set_threshold(100_000, 20, 20)

if __name__ == "__main__":
    cli()
