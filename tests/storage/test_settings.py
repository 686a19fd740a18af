"""The settings file: read with its slips told and not obeyed, written without touching a line that is not ours."""

import stat
from pathlib import Path

import pytest

from mailtui.storage.paths import settings_path
from mailtui.storage.settings import LIMIT, Settings, SettingsError, load_settings, save_theme


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def loaded(path: Path, text: str) -> Settings:
    path.write_text(text)
    return load_settings(path)


def test_no_file_means_the_defaults(path: Path) -> None:
    assert load_settings(path) == Settings("", {}, ())
    assert load_settings(path / "below" / "nothing") == Settings()


def test_theme_and_keys_are_read(path: Path) -> None:
    settings = loaded(path, 'theme = "mailtui-light"\n\n[keys]\n"app.quit" = "f10,ctrl+x"\naccounts.test = "F5"\n')
    assert settings.theme == "mailtui-light"
    assert settings.keys == {"app.quit": "f10,ctrl+x", "accounts.test": "F5"}
    assert settings.problems == ()
    assert settings.place("theme") == f"{path}:1"
    assert settings.place("keys.app.quit") == f"{path}:4"
    assert settings.place("keys.accounts.test") == f"{path}:5"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour = 1\n", ":1: colour: there is no such setting"),
        ("check = 5\n", ":1: check: write a table"),
        ("[check]\ncertificate_days = '3'\n", ":2: check.certificate_days: write a number of days from 0 to 3650"),
        ("[check]\ncertificate_days = true\n", ":2: check.certificate_days: write a number of days"),
        ("[check]\ncertificate_days = -1\n", ":2: check.certificate_days: write a number of days"),
        ("check.certificate_days = 3651\n", ":1: check.certificate_days: write a number of days"),
        ("[check]\n\ndays = 3\n", ":3: check.days: there is no such setting; [check] knows certificate_days"),
        ("[agent]\ncheck_minutes = 43201\n", ":2: agent.check_minutes: write a number of minutes from 0 to 43200"),
        ("[retrieval]\nat_once = 0\n", ":2: retrieval.at_once: write a number of retrievals from 1 to 100"),
        ("[agent]\nminutes = 5\n", ":2: agent.minutes: there is no such setting; [agent] knows check_minutes"),
        ("retrieval = []\n", ":1: retrieval: write a table: a line [retrieval], and below it at_once = 10"),
        ("# c\ntheme = 5\n", ":2: theme: write the name of a theme in quotes"),
        ("keys = 5\n", ":1: keys: write a table"),
        ('[keys]\n\n"app.quit" = 5\n', ":3: app.quit: write a key in quotes"),
        ("[keys.app]\nquit = [1]\n", ":2: app.quit: write a key in quotes"),
        ('[keys]\napp.quit = ""\n', ":2: app.quit: write a key in quotes"),
        ("[keys]\n'a\x1b' = 5\n", "not TOML"),
        ("theme = \n", ":1: not TOML: Invalid value; correct that line"),
        ("theme = 'a'\ntheme = 'b'\n", "not TOML"),
        ("theme = " + "[" * 5000, "not TOML"),
        ("x = " + "9" * 5000, "not TOML"),
        ("#" * (LIMIT + 1), "longer than 64 KiB"),
    ],
)
def test_a_slip_is_told_with_its_place_and_the_rest_is_used(path: Path, text: str, told: str) -> None:
    settings = loaded(path, text)
    (problem,) = settings.problems
    assert problem.startswith(str(path))
    assert told in problem
    assert "\x1b" not in problem
    assert (settings.theme, settings.keys, settings.certificate_days) == ("", {}, 14)
    assert (settings.check_minutes, settings.retrievals_at_once) == (60, 10)


@pytest.mark.parametrize(("minutes", "at_once"), [(0, 1), (43_200, 100)])
def test_the_pace_of_agent_and_retrievals_is_read(path: Path, minutes: int, at_once: int) -> None:
    settings = loaded(path, f"[agent]\ncheck_minutes = {minutes}\n[retrieval]\nat_once = {at_once}\n")
    assert (settings.check_minutes, settings.retrievals_at_once, settings.problems) == (minutes, at_once, ())
    assert settings.place("retrieval.at_once") == f"{path}:4"


@pytest.mark.parametrize("days", [0, 1, 30, 3650])
def test_the_days_before_a_certificate_s_end_are_read(path: Path, days: int) -> None:
    settings = loaded(path, f"[check]\ncertificate_days = {days}\n")
    assert (settings.certificate_days, settings.problems) == (days, ())
    assert settings.place("check.certificate_days") == f"{path}:2"


def test_what_is_good_beside_a_slip_is_used(path: Path) -> None:
    settings = loaded(path, 'theme = "x"\nthing = 1\n[keys]\na.b = "f2"\nc.d = 3\n')
    assert settings.theme == "x"
    assert settings.keys == {"a.b": "f2"}
    assert len(settings.problems) == 2


def test_what_is_no_file_or_no_text_is_told(path: Path) -> None:
    path.write_bytes(b"theme = 'a'\n# \xff\n")
    assert f"{path}:2: is not UTF-8" in load_settings(path).problems[0]
    path.unlink()
    path.mkdir()
    assert "is not a file" in load_settings(path).problems[0]


def test_the_theme_is_kept_and_every_other_line_stays(path: Path) -> None:
    path.write_text('# mine\n\n[keys] # to taste\n"app.quit" = "f10" # left hand\n')
    save_theme(path, "mailtui-contrast")
    assert path.read_text() == (
        '# mine\ntheme = "mailtui-contrast"\n\n[keys] # to taste\n"app.quit" = "f10" # left hand\n'
    )
    save_theme(path, "ansi-dark")
    assert '"app.quit" = "f10" # left hand' in path.read_text()
    settings = load_settings(path)
    assert (settings.theme, settings.keys, settings.problems) == ("ansi-dark", {"app.quit": "f10"}, ())


def test_the_first_theme_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "config.toml"
    save_theme(path, "mailtui-light")
    assert load_settings(path).theme == "mailtui-light"
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_the_file_keeps_its_permissions_and_its_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    real.chmod(0o644)
    path.symlink_to(real)
    save_theme(path, "mailtui-light")
    assert path.is_symlink()
    assert load_settings(real).theme == "mailtui-light"
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


def test_a_file_that_cannot_be_read_is_never_replaced(path: Path) -> None:
    path.write_text("theme = \nkeep this\n")
    with pytest.raises(SettingsError, match=r":1: not TOML.*"):
        save_theme(path, "mailtui-light")
    assert path.read_text() == "theme = \nkeep this\n"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="not remembered"):
        save_theme(tmp_path / "file" / "config.toml", "mailtui-light")


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILTUI_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "mailtui" / "config.toml"
    monkeypatch.setenv("MAILTUI_CONFIG", str(tmp_path / "other.toml"))
    assert settings_path() == tmp_path / "other.toml"
