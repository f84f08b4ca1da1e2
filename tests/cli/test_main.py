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
        assert float(row[8]) <= 100
    assert "certifying: 100%" in err
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_demo_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[plot\]"'):
        main(["demo"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "5"], "5 is not between 20 and 1000"),
        (["--draws", "5"], "5 is not between 10 and 1000000"),
        (["--output", "picture.foo"], "picture.foo does not end in .pdf, .png or .svg"),
        (["--output", "/no/such/folder/x.png"], "there is no folder /no/such/folder"),
    ],
)
def test_wrong_arguments_are_refused_before_the_work(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(["demo", *arguments])
    assert message in capsys.readouterr().err


def test_no_command_is_an_error_with_the_usage(capsys):
    with pytest.raises(SystemExit) as info:
        main([])
    assert info.value.code == 2
    assert "usage: python -m sksmooth" in capsys.readouterr().err
