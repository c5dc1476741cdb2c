"""What all commands share: how they tell what is refused, open the parts, and print.

Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 the address is not to be had.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from infra.settings import SettingError, Settings
from market.kit.errors import Invalid, MarketError

P = ParamSpec("P")
R = TypeVar("R")

FAILED, WRONG_SETTING = 1, 2
HELP = {"help_option_names": ["-h", "--help"]}


def told(run: Callable[P, R]) -> Callable[P, R]:
    """Print what is refused, or fails outside, as a sentence and exit with a code."""

    @wraps(run)
    def heard(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except SettingError as error:
            click.echo(str(error), err=True)
            sys.exit(WRONG_SETTING)
        except Invalid as error:
            click.echo(error.message, err=True)
            for name, text in error.fields.items():
                click.echo(f"  {name}：{text}", err=True)
            sys.exit(FAILED)
        except MarketError as error:
            click.echo(error.message, err=True)
            sys.exit(FAILED)
        except Exception as error:
            from infra import failures

            if (sentence := failures.sentence(error)) is None:
                raise
            click.echo(sentence, err=True)
            sys.exit(FAILED)

    return heard


@contextmanager
def open_parts(settings: Settings) -> Iterator[Any]:
    from infra.wiring import build_parts, close_parts

    parts = build_parts(settings)
    try:
        yield parts
    finally:
        close_parts(parts)


def show(as_json: bool, result: dict[str, Any], lines: list[str]) -> None:
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(lines))


as_json_option = click.option("--json", "as_json", is_flag=True, help="以 JSON 输出，供程序读取")
