"""Every error that a person or a program may be told, as one hierarchy.

    MarketError                 status  code
    ├── Invalid                 422     invalid          wrong input, by field
    ├── NotSignedIn             401     not_signed_in    nobody has signed in
    ├── NotAgreed               403     not_agreed       newer terms are to be agreed to first
    ├── Refused                                          denied by policy; survives as an audit row
    │   ├── Forbidden           403     forbidden        may be seen, may not be done
    │   └── NotFound            404     not_found        is not there, or not for this actor
    ├── Conflict                409     conflict         the state has moved on
    │   └── Overtaken                                    somebody saved since it was read
    ├── TooLarge                413     too_large        a body or file over its limit
    ├── TooMany                 429     too_many         throttled
    └── Unavailable             503     unavailable      a part does not answer

One handler renders each as JSON (API) or as a page (site). Messages are Chinese sentences for
people: where, what it should be, what it is now.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class MarketError(Exception):
    """Base of all; `message` is shown to people as it stands."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    default: ClassVar[str] = "系统出了问题，请稍后再试"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.default
        super().__init__(self.message)


class Invalid(MarketError):
    """Wrong input. `fields` maps a field's name to its message; "" speaks of the whole."""

    status = 422
    code = "invalid"
    default = "有几处需要修改"

    def __init__(self, message: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})


class NotSignedIn(MarketError):
    status = 401
    code = "not_signed_in"
    default = "请先登录"


class NotAgreed(MarketError):
    """Signed in, but a newer privacy notice or newer terms are to be agreed to first."""

    status = 403
    code = "not_agreed"
    default = "隐私政策或服务条款有了新版本，请先阅读并同意"


class Refused(MarketError):
    """Denied by policy. The refusal is audited in a transaction of its own after the rollback."""


class Forbidden(Refused):
    status = 403
    code = "forbidden"
    default = "您现在的身份不能做这件事"


class NotFound(Refused):
    status = 404
    code = "not_found"
    default = "没有找到，或您无权查看"


class Conflict(MarketError):
    status = 409
    code = "conflict"
    default = "状态已经变了，请刷新后再操作"


class Overtaken(Conflict):
    """Somebody saved since the form was opened. `current` is what stands now, with its version
    under the name by which the next attempt gives it, as plain JSON values.
    """

    default = "您打开之后有人保存过新的内容，请对照后再保存"

    def __init__(self, current: Mapping[str, Any], message: str | None = None) -> None:
        super().__init__(message)
        self.current = dict(current)


class TooLarge(MarketError):
    status = 413
    code = "too_large"
    default = "内容太大"


class TooMany(MarketError):
    """Throttled; `retry_after` in seconds."""

    status = 429
    code = "too_many"
    default = "操作太频繁，请稍后再试"

    def __init__(self, message: str | None = None, *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(MarketError):
    status = 503
    code = "unavailable"
    default = "这部分服务暂时不可用，请稍后再试"
