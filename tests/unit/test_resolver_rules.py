"""Every resolver, as AppSync gets it, is JavaScript that AppSync runs: its own linter reads them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.project import ROOT, SCRIPTS
from lambda_src import bookshop
from lambda_src.graphql_api.modules import bundled

RULES = Path(__file__).with_name("resolver_lint")
RESOLVERS = {
    f"{folder.name}-{file.stem}": file
    for folder in (
        bookshop.FOLDER / "resolvers",
        bookshop.FOLDER / "resolvers/functions",
        ROOT / "docs/examples/greetings",
    )
    for file in sorted(folder.glob("*.js"))
    if "export function request" in file.read_text()
}
# What JavaScript has, AppSync has not, and Node.js would run.
UNSUPPORTED = {
    "no-try": "export function request(ctx) { try { return {}; } catch (error) { return null; } }",
    "no-async": "export async function request(ctx) { return {}; }",
    "no-for": "export function request(ctx) { for (let i = 0; i < 3; i++) { ctx.stash.i = i; } return {}; }",
    "no-while": "export function request(ctx) { while (ctx.stash.more) { ctx.stash.more = false; } return {}; }",
    "no-classes": "class Book {}\nexport function request(ctx) { return {}; }",
    "no-this": "export function request(ctx) { return this; }",
    "no-regex": "export function request(ctx) { return /a+/; }",
    "no-generators": "export function* request(ctx) { return {}; }",
    "no-in-operator": "export function request(ctx) { return 'id' in ctx.args; }",
}


@pytest.fixture(scope="module")
def broken_rules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Name the rules that each file breaks; one run reads all of them."""
    folder = tmp_path_factory.mktemp("resolvers")
    shutil.copytree(RULES, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    for name, file in RESOLVERS.items():
        (folder / f"{name}.js").write_text(bundled(file))
    for name, code in UNSUPPORTED.items():
        (folder / f"{name}.js").write_text(code)
    eslint = ROOT / "node_modules/eslint/bin/eslint.js"
    words = [SCRIPTS / "node", eslint, "--format", "json", "."]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {
        Path(one["filePath"]).stem: [f"{each['ruleId']}: {each['message']}" for each in one["messages"]]
        for one in json.loads(done.stdout)
    }


@pytest.mark.parametrize("rule", UNSUPPORTED)
def test_javascript_that_appsync_does_not_run_is_found(broken_rules: dict[str, list[str]], rule: str) -> None:
    assert f"@aws-appsync/{rule}" in {message.partition(":")[0] for message in broken_rules[rule]}


@pytest.mark.parametrize("name", RESOLVERS)
def test_a_resolver_breaks_no_rule(broken_rules: dict[str, list[str]], name: str) -> None:
    assert broken_rules[name] == []
