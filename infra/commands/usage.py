"""What was wrong with a command line, said in Chinese: click says it in English."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click
from click.exceptions import NoArgsIsHelpError


class File(click.Path):
    """A file that there is."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.exists():
            self.fail(f"没有“{path}”这个文件", param, ctx)
        if not path.is_file():
            self.fail(f"“{path}”是文件夹，应为一个文件", param, ctx)
        return path


class WrongUsage(click.ClickException):
    """A wrong command line; exits with 2, as click does."""

    exit_code = click.UsageError.exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=file is None)


@contextmanager
def in_chinese() -> Iterator[None]:
    try:
        yield
    except NoArgsIsHelpError:  # prints the help
        raise
    except click.UsageError as error:
        where = f"，用法见 {error.ctx.command_path} -h" if error.ctx is not None else ""
        raise WrongUsage(f"{_sentence(error)}{where}") from error


def _sentence(error: click.UsageError) -> str:
    if isinstance(error, click.MissingParameter):
        return f"缺少{_name(error)}"
    if isinstance(error, click.NoSuchOption):
        return f"没有 {error.option_name} 这个选项"
    if isinstance(error, click.BadParameter):
        kind = error.param.type if error.param is not None else None
        if isinstance(kind, click.Choice):
            return f"{_name(error)}应为{'、'.join(map(str, kind.choices))}之一"
        if isinstance(kind, click.types.IntParamType):
            return f"{_name(error)}应为整数"
        return error.message
    return error.message


def _name(error: click.BadParameter) -> str:
    if error.param is None or error.ctx is None:
        return "参数"
    if isinstance(error.param, click.Option):
        return f"选项 {error.param.opts[0]}"
    return f"参数 {error.param.make_metavar(error.ctx)}"


class Commands(click.Group):
    """The group of all commands, whose usage errors are Chinese."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with in_chinese():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with in_chinese():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"没有 {args[0]} 这个命令")
        return super().resolve_command(ctx, args)
