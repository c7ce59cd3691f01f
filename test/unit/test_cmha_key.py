"""A new key as pillar data."""

import shutil
import subprocess

import pytest
import yaml
from salt.renderers import gpg


@pytest.fixture
def made(pure):
    return pure("cmha_key").made


def key_of(pillar, cmha_site):
    pairs = {"cms": {"role": "server", "nodes": {"cms1": {}}}}
    return cmha_site.authkey({**pillar["cmha"], "pairs": pairs}, "cms1")


@pytest.mark.parametrize(("generation", "size"), [(1, 128), (2, 128), (3, 256)])
def test_a_key_has_the_size_of_its_generations_keygen(made, cmha_site, generation, size):
    assert len(key_of(yaml.safe_load(made(generation)), cmha_site)) == size


def test_each_key_is_another(made):
    assert made() != made()


@pytest.mark.parametrize("generation", [0, 4, "3", None])
def test_an_unknown_generation(made, generation):
    with pytest.raises(ValueError, match="generation should be one of 1, 2, 3, is "):
        made(generation)


@pytest.fixture
def gnupghome(tmp_path_factory):
    """A GPG home with a key for salt@example.com."""
    if not shutil.which("gpg"):
        pytest.skip("needs gpg")
    # an agent's socket has a short path
    home = tmp_path_factory.mktemp("g", numbered=True)
    home.chmod(0o700)
    made = ["--passphrase", "", "--quick-generate-key", "salt@example.com", "default", "default"]
    subprocess.run(["gpg", "--homedir", home, "--batch", *made], check=True, capture_output=True)
    yield str(home)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def test_an_encrypted_key_comes_out_of_salts_renderer(
    made, cmha_site, site_model, gnupghome, monkeypatch
):
    text = made(recipient="salt@example.com", gnupghome=gnupghome)
    head, body = text.split("\n", 1)
    assert head == "#!yaml|gpg"
    pillar = yaml.safe_load(body)
    with pytest.raises(ValueError, match="is still encrypted"):
        key_of(pillar, cmha_site)
    monkeypatch.setattr(gpg, "_get_key_dir", lambda: gnupghome)
    monkeypatch.setattr(gpg, "__opts__", {}, raising=False)
    monkeypatch.setattr(gpg, "__salt__", {}, raising=False)
    assert len(key_of(gpg.render(pillar), cmha_site)) == 256


def test_the_key_is_on_no_command_line(pure, monkeypatch):
    module, seen = pure("cmha_key"), []
    monkeypatch.setattr(module.os, "urandom", lambda size: b"\xff" * size)

    def run(command, **options):
        seen.append((command, options["input"]))
        return subprocess.CompletedProcess(
            command, 0, stdout="-----BEGIN PGP MESSAGE-----\n", stderr=""
        )

    monkeypatch.setattr(module.subprocess, "run", run)
    text = module.made(recipient="somebody", gnupghome="/keys")
    ((command, given),) = seen
    assert "////" in given
    assert "////" not in " ".join(command) + text
    assert command[-4:] == ["--homedir", "/keys", "--recipient", "somebody"]


def test_an_unknown_recipient_is_one_line(made, gnupghome):
    with pytest.raises(ValueError, match="^gpg doesn't encrypt to nobody@example.com") as error:
        made(recipient="nobody@example.com", gnupghome=gnupghome)
    assert "\n" not in str(error.value)


def test_without_gpg(made, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="gpg can't be run on this master: No such file"):
        made(recipient="x")
