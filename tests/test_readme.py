"""The README's examples run, in order, as one script."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_examples_of_the_readme_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 3
    names = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    out = capsys.readouterr().out
    assert "ClassificationCertificate: 200 rows, l2 norm" in out
    assert names["certificate"].certified.any()
    assert names["search"].best_score_ > 0.5


def test_ci_finds_the_two_commands_in_the_readme():
    lines = README.read_text().splitlines()
    assert sum(line.startswith("python -m pip install") for line in lines) == 2
