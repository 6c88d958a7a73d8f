"""config.toml: read strictly, written without touching what else stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from fixtures.chain_authority import ChainAuthority

from vidigree.media.errors import OutputError, UsageError
from vidigree.watermark.config import Config, write_signer_section
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.credentials.signers import SignerSettings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("VIDIGREE_HOME", str(folder))
    return folder


def write(home: Path, text: str) -> Path:
    path = home / "config.toml"
    path.write_text(text)
    return path


def test_no_file_means_the_development_identity_and_no_network() -> None:
    config = Config.load()
    assert config.signer.kind == "folder"
    assert config.timestamping.policy == "none"
    assert config.profile == "none"


def test_everything_is_read(home: Path) -> None:
    write(
        home,
        'profile = "eu"\n[signer]\nkind = "pem"\nchain = "a"\nkey = "b"\n'
        '[timestamp]\nurl = "http://tsa.example"\n[provider]\nname = "Example"\n',
    )
    config = Config.load()
    assert config.profile == "eu"
    assert (config.signer.kind, dict(config.signer.options)) == ("pem", {"chain": "a", "key": "b"})
    assert config.signer.path("chain") == home / "a"
    assert config.timestamping.url == "http://tsa.example"
    assert config.timestamping.policy == "require"  # whoever names one wants its stamp
    assert config.provider.name == "Example"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profil = 'eu'", r"'profil'.*Did you mean 'profile'"),
        ("[timestamp]\nadress = 'x'", r"\[timestamp\].*Known: url, policy"),
        ("[provider]\nname = 7", "only texts"),
        ("provider = 7", "only texts"),
        ("[timestamp]\npolicy = 'maybe'", "no time stamp policy 'maybe'"),
        ("[timestamp]\npolicy = 'try'", "no authority is named"),
        ("[[[", "cannot be read"),
    ],
)
def test_what_means_nothing_is_refused(home: Path, text: str, words: str) -> None:
    write(home, text)
    with pytest.raises(UsageError, match=words):
        Config.load()


def test_new_signer_leaves_the_rest_alone(home: Path) -> None:
    before = (
        '# mine\nprofile = "eu"\n\n[signer]\nkind = "pem"\nchain = "[a]"\nkey = "b"\n\n'
        '[provider] # us\nname = "Example"\n'
    )
    path = write(home, before)
    options = {"file": 'a "quoted" ü.p12'}
    write_signer_section(SignerSettings(kind="pkcs12", options=options))
    config = Config.load()
    assert (config.signer.kind, dict(config.signer.options)) == ("pkcs12", options)
    assert config.provider.name == "Example"
    assert path.read_text().startswith('# mine\nprofile = "eu"\n')
    assert path.read_text().count("[signer]") == 1
    assert "# us" in path.read_text()


@pytest.mark.parametrize("name", ["studio \U00020bb7.p12", "rub\x7fout.p12", 'tab\t"q".p12'])
def test_any_name_can_be_kept(home: Path, name: str) -> None:
    write_signer_section(SignerSettings(kind="pkcs12", options={"file": name}))
    assert Config.load().signer.options["file"] == name


def test_half_a_character_is_refused_and_the_settings_stay(home: Path) -> None:
    path = write(home, 'profile = "eu"\n')
    with pytest.raises(UsageError, match="not Unicode"):
        write_signer_section(SignerSettings(kind="pkcs12", options={"file": "caf\udce9.p12"}))
    assert path.read_text() == 'profile = "eu"\n'


def test_damaged_settings_are_not_written_over(home: Path) -> None:
    path = write(home, "[[[")
    with pytest.raises(UsageError):
        write_signer_section(SignerSettings())
    assert path.read_text() == "[[["


def test_keys_use_and_check_follow_the_settings(home: Path, tmp_path: Path) -> None:
    issued = ChainAuthority().issue()
    (tmp_path / "chain.pem").write_bytes(issued.chain)
    (tmp_path / "key.pem").write_bytes(issued.key_pem)
    run = CliRunner()
    arguments = ["use", "pem", str(tmp_path / "chain.pem"), str(tmp_path / "key.pem")]
    assert "signed as Example Ltd" in run.invoke(keys, arguments, catch_exceptions=False).output
    assert "key in pem" in run.invoke(keys, ["show"], catch_exceptions=False).output
    checked = run.invoke(keys, ["check"], catch_exceptions=False)
    assert checked.exit_code == 0
    assert "These certificates can sign." in checked.output


def test_keys_check_finds_a_service_that_refuses(home: Path, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(ChainAuthority().issue().chain)
    options = {"function": "fixtures.refusing_service:sign", "chain": str(tmp_path / "chain.pem")}
    write_signer_section(SignerSettings(kind="callback", options=options))
    checked = CliRunner().invoke(keys, ["check"])
    assert checked.exit_code == 7
    assert "AccessDenied: no right to use key 7" in checked.output


@pytest.mark.parametrize(
    "header", ["[ signer ]", '["signer"]', "  [signer]\t# mine", "[signer]  "], ids=repr
)
@pytest.mark.parametrize("rows", ['kind = "pem"\nchain = "a"\nkey = "b"\n', ""], ids=["rows", ""])
def test_section_is_replaced_however_it_is_written(home: Path, header: str, rows: str) -> None:
    path = write(
        home, f'profile = "eu"\n{header}\n{rows}# of the authority\n[timestamp]\nurl = ""\n'
    )
    for _ in range(2):
        write_signer_section(SignerSettings(kind="pkcs12", options={"file": "x.p12"}))
        config = Config.load()
        assert (config.signer.kind, dict(config.signer.options)) == ("pkcs12", {"file": "x.p12"})
        assert path.read_text() == (
            'profile = "eu"\n# of the authority\n[timestamp]\nurl = ""\n\n'
            '[signer]\nkind = "pkcs12"\nfile = "x.p12"\n'
        )


def test_section_without_a_line_break_is_replaced(home: Path) -> None:
    path = write(home, "[signer]")
    write_signer_section(SignerSettings())
    assert path.read_text() == '[signer]\nkind = "folder"\n'


@pytest.mark.parametrize(
    "text",
    [
        'signer.kind = "folder"\n',
        'signer = { kind = "folder" }\n',
        '[provider]\nname = """\n[signer]\nkind = "pem"\n"""\n',
    ],
)
def test_settings_that_cannot_be_changed_by_their_lines_stay(home: Path, text: str) -> None:
    path = write(home, text)
    with pytest.raises(UsageError, match="by hand"):
        write_signer_section(SignerSettings())
    assert path.read_text() == text


def test_settings_keep_their_permissions_and_stay_a_link(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text('profile = "eu"\n')
    kept.chmod(0o600)
    (home / "config.toml").symlink_to(kept)
    write_signer_section(SignerSettings())
    assert (home / "config.toml").is_symlink()
    assert "[signer]" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_data_folder_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", "/proc/none")
    with pytest.raises(OutputError, match=r"config\.toml cannot be written"):
        write_signer_section(SignerSettings())
