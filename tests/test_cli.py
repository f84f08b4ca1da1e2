"""The command line."""

import sys

import pytest

from sksmooth.cli import main


def test_demo_prints_a_table_and_draws_a_picture(tmp_path, capsys, pyplot):
    picture = tmp_path / "curves.png"
    assert main(["demo", "--rows", "50", "--draws", "100", "--output", str(picture)]) == 0
    out, err = capsys.readouterr()
    table = [
        line.split() for line in out.splitlines() if line[:5].strip() in ("0.12", "0.25", "0.5")
    ]
    assert [row[0] for row in table] == ["0.12", "0.25", "0.5"]
    for row in table:
        clean, *certified = map(float, row[1:7])
        assert 0.7 < clean <= 1
        assert certified == sorted(certified, reverse=True)
        assert row[8] == "100"
    assert "certifying: 100%" in err
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_demo_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[plot\]"'):
        main(["demo"])


def test_no_command_is_an_error_with_the_usage(capsys):
    with pytest.raises(SystemExit) as info:
        main([])
    assert info.value.code == 2
    assert "usage: python -m sksmooth" in capsys.readouterr().err
