"""The dictionary words of the search: the list, new ones, and the rebuild that lets them count."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.catalog_forms import apart
from market.accounts.policy import Action
from market.discovery import rebuild
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.rules import dictionary
from market.rules.schemas import LONGEST_WORD, MOST_WORDS, DictionaryIn, DictionaryWords

router = APIRouter()

SAVED = notices.done("words-saved", "词典词已保存", "重建索引后，搜索按这些词来切分。")
REMOVED = notices.done("word-removed", "这个词已删去", "从下一次搜索起不再按它切分。")
ASKED = notices.done("rebuild-asked", "已开始重建索引", "重建期间搜索照常，完成后新词自动生效。")

LIST, TEMPLATE = "/desk/dictionary", "desk/dictionary.html"
LIMITS = {"words": MOST_WORDS, "letters": LONGEST_WORD, "most": dictionary.MOST}
Editing = Annotated[Page, opens_page(Action.SYNONYM_EDIT, write=True)]


class WordsForm(BaseModel):
    words: Annotated[DictionaryWords, BeforeValidator(apart)] = Field(title="词典词")


def _list(page: Page, form: forms.Form[WordsForm], error: str = "") -> dict[str, object]:
    rows = dictionary.listed(page.work)
    return {
        "rows": rows,
        "waiting": sum(row.in_force_at is None for row in rows),
        "state": rebuild.state(page.work.session),
        "form": form,
        "limits": LIMITS,
        "error": error,
    }


@router.get("/desk/dictionary")
def listed(page: Annotated[Page, opens_page(Action.SYNONYM_EDIT)]) -> Response:
    return page.render(TEMPLATE, _list(page, forms.blank(WordsForm)))


@router.post("/desk/dictionary")
def add(page: Editing) -> Response:
    form = forms.parse(WordsForm, page.sent)
    if form.data is not None:
        try:
            dictionary.add(page.work, DictionaryIn(words=form.data.words))
        except (Invalid, Conflict) as error:
            form.reject(error)
        else:
            return page.redirect(LIST, done=SAVED)
    page.work.abandon()
    return page.again(TEMPLATE, _list(page, form))


@router.post("/desk/dictionary/rebuild")
def build_anew(page: Editing) -> Response:
    try:
        rebuild.ask_by_page(page.work)
    except Conflict as error:
        page.work.abandon()
        shown = _list(page, forms.blank(WordsForm), error.message)
        return page.render(TEMPLATE, shown, status=error.status)
    return page.redirect(LIST, done=ASKED)


@router.post("/desk/dictionary/{word_id}/remove")
def remove(word_id: PathId, page: Editing) -> Response:
    dictionary.remove(page.work, PublicId(word_id))
    return page.redirect(LIST, done=REMOVED)
