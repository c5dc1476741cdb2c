"""Settings: read in one place, wrong ones named, all of them documented."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from infra.settings import PREFIX, Mode, SettingError, Settings, load, secret_of
from market.accounts.work import AUDIT_DAYS
from market.kit.audit import LEAST_DAYS

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `ZHIHE_")}
    assert documented == {f"{PREFIX}{item.name.upper()}" for item in fields(Settings)}


def test_the_audit_is_kept_no_shorter_than_the_database_holds_it() -> None:
    assert Settings().audit_days == AUDIT_DAYS
    assert load({"ZHIHE_AUDIT_DAYS": str(LEAST_DAYS)}).audit_days == LEAST_DAYS
    with pytest.raises(SettingError, match="ZHIHE_AUDIT_DAYS"):
        load({"ZHIHE_AUDIT_DAYS": str(LEAST_DAYS - 1)})


def test_defaults_need_nothing() -> None:
    settings = load({})
    assert settings.mode is Mode.DEMO
    assert settings.database.startswith("sqlite:///data")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "test"),
        ("PORT", "0"),
        ("PORT", "八千"),
        ("SECURE_COOKIES", "yes"),
        ("MATCH_FLOOR", "2"),
        ("MATCH_FLOOR", "high"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("LOG_DAYS", "30"),
        ("METRICS_TOKEN", "short"),
        ("STOP_SECONDS", "0"),
        ("SEARCH_URL", "127.0.0.1:9200"),
        ("SEARCH_URL", "http://127.0.0.1"),
        ("SEARCH_URL", "http://127.0.0.1:port"),
        ("SEARCH_URL", "ftp://127.0.0.1:9200"),
        ("SEARCH_URL", "http://127.0.0.1:9200,https://"),
        ("SEARCH_URL", "http://127.0.0.1:9200/?a=b"),
        ("SEARCH_API_KEY", "a2V5"),
        ("SEARCH_CA", "/no/such/file.pem"),
        ("SEARCH_CA", __file__),
        ("SEARCH_PREFIX", "智核"),
        ("SEARCH_PREFIX", "zhihe*"),
        ("DATABASE", "sqlite://"),
        ("DATABASE_URL", "mysql://zhihe@127.0.0.1/zhihe"),
        ("DATABASE_URL", "zhihe.db"),
    ],
)
def test_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{PREFIX}{name}"):
        load({f"{PREFIX}{name}": value})


def test_production_refuses_to_start_without_its_secret() -> None:
    production = {"ZHIHE_MODE": "production", "ZHIHE_HOSTS": "market.example.com"}
    with pytest.raises(SettingError, match="ZHIHE_SECRET"):
        load(production)
    with pytest.raises(SettingError, match="ZHIHE_HOSTS"):
        load({"ZHIHE_MODE": "production", "ZHIHE_SECRET": "x" * 32})
    production["ZHIHE_SECRET"] = "x" * 32
    with pytest.raises(SettingError, match="ZHIHE_OPERATOR"):
        load(production)
    production["ZHIHE_OPERATOR"] = "示范区技术转移中心"
    with pytest.raises(SettingError, match="ZHIHE_CONTACT_EMAIL"):
        load(production)
    settings = load({**production, "ZHIHE_CONTACT_PHONE": "023-00000000"})
    assert not settings.demo
    assert settings.secure_cookies


def test_elasticsearch_and_who_asks_it(tmp_path: Path) -> None:
    assert load({}).search_hosts == []
    two = "https://zhihe:p%40ss@es1:9200, https://zhihe:p%40ss@es2:9200/path"
    settings = load({"ZHIHE_SEARCH_URL": two})
    assert settings.search_hosts == [one.strip() for one in two.split(",")]
    assert "p%40ss" not in repr(settings)
    with pytest.raises(SettingError, match="只能给出一个") as refused:
        load({"ZHIHE_SEARCH_URL": two, "ZHIHE_SEARCH_API_KEY": "a2V5"})
    assert "p%40ss" not in str(refused.value)
    with pytest.raises(SettingError, match="ZHIHE_SEARCH_URL") as refused:
        load({"ZHIHE_SEARCH_URL": "https://zhihe:p%40ss@es1"})
    assert "p%40ss" not in str(refused.value)
    key = tmp_path / "key"
    key.write_text("a2V5\n", encoding="ascii")
    given = {"ZHIHE_SEARCH_URL": "http://es:9200", "ZHIHE_SEARCH_API_KEY_FILE": str(key)}
    assert load(given).search_api_key == "a2V5"
    assert "a2V5" not in repr(load(given))


def test_secrets_from_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * 40 + "\n", encoding="utf-8")
    assert load({"ZHIHE_SECRET_FILE": str(file)}).secret == "x" * 40
    with pytest.raises(SettingError, match="ZHIHE_SECRET_FILE"):
        load({"ZHIHE_SECRET_FILE": str(tmp_path / "none")})
    with pytest.raises(SettingError, match="只能给出一个"):
        load({"ZHIHE_SECRET_FILE": str(file), "ZHIHE_SECRET": "y" * 40})


def test_demo_secret_is_made_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert secret_of(settings) == secret_of(settings)
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == ["secret"]


def test_an_empty_secret_left_by_a_power_cut_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    settings = Settings(data_dir=tmp_path)
    assert len(secret_of(settings)) > 30
    assert secret_of(settings) == secret_of(settings)


def test_processes_that_start_at_once_have_one_secret(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: secret_of(settings), range(200)))) == 1


def test_files_stand_with_the_rows_unless_said_otherwise() -> None:
    postgres = {"ZHIHE_DATABASE_URL": "postgresql+psycopg://zhihe@db/zhihe"}
    assert not load({}).files_in_database
    assert load(postgres).files_in_database
    assert not load({**postgres, "ZHIHE_FILES": "folder"}).files_in_database
    with pytest.raises(SettingError, match="ZHIHE_FILES"):
        load({"ZHIHE_FILES": "database"})
    with pytest.raises(SettingError, match="ZHIHE_FILES"):
        load({**postgres, "ZHIHE_FILES": "s3"})
