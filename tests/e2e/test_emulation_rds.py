"""The emulator's Aurora is a PostgreSQL: it refuses what it should, keeps what it was given, goes with its cluster."""

from __future__ import annotations

import importlib
import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from lab.database import ConstraintViolatedError, Database, DatabaseError
from lab.project import ENVIRONMENTS, ROOT, python_of
from lambda_src.statements import statements

from .conftest import run_script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .conftest import Emulated, Lab

history = importlib.import_module("lambda_src.schema_migrations.runtime.history")
users = importlib.import_module("lambda_src.schema_migrations.runtime.users")
TEMPLATE = {
    "Resources": {
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {
                "Engine": "aurora-postgresql",
                "EngineVersion": "16.4",
                "MasterUsername": "master",
                "ManageMasterUserPassword": True,
                "DatabaseName": "app",
                "EnableHttpEndpoint": True,
            },
        },
        "Writer": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "Engine": "aurora-postgresql",
                "DBInstanceClass": "db.serverless",
                "DBClusterIdentifier": {"Ref": "Cluster"},
            },
        },
    },
    "Outputs": {
        "Cluster": {"Value": {"Fn::GetAtt": ["Cluster", "DBClusterArn"]}},
        "Resource": {"Value": {"Fn::GetAtt": ["Cluster", "DBClusterResourceId"]}},
        "Master": {"Value": {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]}},
    },
}


class Cluster:
    """A cluster, and one of its databases as the master and as an application's user have it."""

    def __init__(self, session: boto3.Session | Emulated, outputs: dict[str, str], database: str) -> None:
        self.arn, self.resource, self.master_secret = outputs["Cluster"], outputs["Resource"], outputs["Master"]
        self.client, self.name = session.client("rds-data"), database
        self.user, self.password = f"user_{uuid.uuid4().hex}", uuid.uuid4().hex
        content = {"username": self.user, "password": self.password}
        self.secret = session.client("secretsmanager").create_secret(Name=self.user, SecretString=json.dumps(content))[
            "ARN"
        ]
        self.master = Database(self.arn, self.master_secret, database, client=self.client)
        self.application = Database(self.arn, self.secret, database, client=self.client)

    def make_user(self, password: str | None = None, rights: Sequence[str] = ()) -> None:
        with self.master.transaction() as transaction:
            users.make_user(transaction, self.user, password or self.password)
            if rights:
                users.grant(transaction, self.user, self.name, rights)


def made(session: boto3.Session | Emulated, name: str) -> dict[str, str]:
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.fixture(scope="module")
def shared(lab: Lab) -> dict[str, str]:
    """Make the cluster that the tests have their databases in."""
    lab("up", "sqs-lambda")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in json.loads(lab("env", "--json").stdout).items():
            environment.setenv(name, value)
        return made(boto3.Session(), "TriedDatabase")


@pytest.fixture
def cluster(session: boto3.Session, shared: dict[str, str]) -> Cluster:
    """Make a database of the test's own."""
    name = f"of_{uuid.uuid4().hex}"
    Cluster(session, shared, "app").master.execute(f"CREATE DATABASE {name}")
    return Cluster(session, shared, name)


def servers(lab_home: Path, cluster: Cluster) -> list[psutil.Process]:
    folder = str(lab_home / "emulator" / "postgresql" / cluster.resource / "data")
    return [one for one in psutil.process_iter() if folder in _words(one) and one.name() == "postgres"]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT 1; SELECT 2", "42601"),
        ("CREATE ROLE more SUPERUSER", "42501"),
        ("SELECT pg_read_file('/etc/passwd')", "42501"),
        ("INSERT INTO pair VALUES ('6a1bd2ae-7f41-4f4e-9b0e-4d7d0d5a3d11', 1 / 0)", "22012"),
    ],
)
def test_what_postgresql_refuses_is_refused_with_its_state(cluster: Cluster, sql: str, sqlstate: str) -> None:
    cluster.master.execute("CREATE TABLE IF NOT EXISTS pair (id uuid PRIMARY KEY, n int)")

    with pytest.raises(DatabaseError) as refused:
        cluster.master.execute(sql)
    assert refused.value.sqlstate == sqlstate


def test_a_text_is_no_uuid_unless_it_says_so(cluster: Cluster) -> None:
    cluster.master.execute("CREATE TABLE pair (id uuid PRIMARY KEY)")
    key = uuid.uuid4()

    with pytest.raises(DatabaseError) as refused:
        cluster.master.execute("INSERT INTO pair VALUES (:id)", {"id": str(key)})
    assert refused.value.sqlstate == "42804"
    cluster.master.execute("INSERT INTO pair VALUES (:id)", {"id": key})
    with pytest.raises(ConstraintViolatedError) as twice:
        cluster.master.execute("INSERT INTO pair VALUES (:id)", {"id": key})
    assert twice.value.constraint == "pair_pkey"
    assert str(key) not in str(twice.value)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sql": "SELECT :missing"}, "BadRequestException"),
        ({"sql": ""}, "BadRequestException"),
        ({"sql": "SELECT 'open"}, "BadRequestException"),
        ({"parameters": [{"name": "a", "value": {"arrayValue": {"longValues": [1]}}}]}, "BadRequestException"),
        ({"parameters": [{"name": "a", "typeHint": "DATE", "value": {"stringValue": "soon"}}]}, "BadRequestException"),
        ({"sql": "SELECT repeat('x', 65000) FROM generate_series(1, 20)"}, "UnsupportedResultException"),
        ({"sql": "SELECT repeat('x', 70000)"}, "UnsupportedResultException"),
        ({"sql": "SELECT ARRAY[[1], [2]]"}, "UnsupportedResultException"),
        ({"transactionId": "none"}, "TransactionNotFoundException"),
        ({"secretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-a1b2c3"}, "SecretsErrorException"),
        ({"resourceArn": "arn:aws:rds:us-east-1:000000000000:cluster:none"}, "BadRequestException"),
    ],
)
def test_what_the_data_api_refuses_has_the_name_that_aws_gives_it(
    cluster: Cluster, change: dict[str, Any], code: str
) -> None:
    request = {"resourceArn": cluster.arn, "secretArn": cluster.master_secret, "sql": "SELECT 1"}

    with pytest.raises(ClientError) as refused:
        cluster.client.execute_statement(**{**request, "database": "app", **change})
    assert refused.value.response["Error"]["Code"] == code


def test_a_user_whom_nobody_made_and_a_wrong_password_are_refused(cluster: Cluster) -> None:
    with pytest.raises(DatabaseError) as unknown:
        cluster.application.query("SELECT 1")
    assert unknown.value.sqlstate == "28P01"
    cluster.make_user(password="another one")
    with pytest.raises(DatabaseError) as wrong:
        cluster.application.query("SELECT 1")
    assert wrong.value.sqlstate == "28P01"
    assert cluster.password not in str(wrong.value)


def test_one_cluster_sees_nothing_of_another(session: boto3.Session, cluster: Cluster) -> None:
    cluster.master.execute("CREATE TABLE mine (id int)")
    cluster.make_user()
    other = Cluster(session, made(session, "TriedOther"), "app").master

    with pytest.raises(DatabaseError, match='relation "mine" does not exist'):
        other.query("SELECT * FROM mine")
    assert other.query("SELECT 1 AS there FROM pg_roles WHERE rolname = :user", {"user": cluster.user}) == []
    session.client("cloudformation").delete_stack(StackName="TriedOther")


def test_what_others_wrote_is_seen_when_they_commit_and_a_lock_holds_up_nobody_else(cluster: Cluster) -> None:
    cluster.master.execute("CREATE TABLE counter (n int)")
    cluster.master.execute("INSERT INTO counter VALUES (0)")
    waiting = threading.Thread(target=lambda: cluster.master.execute("UPDATE counter SET n = n + 1"))
    with cluster.master.transaction() as transaction:
        transaction.execute("UPDATE counter SET n = n + 10")
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
        assert cluster.master.query("SELECT n FROM counter") == [{"n": 0}]
    waiting.join(10)

    assert cluster.master.query("SELECT n FROM counter") == [{"n": 11}]


def test_a_statement_in_a_transaction_needs_not_name_the_database_and_cannot_name_another(cluster: Cluster) -> None:
    who = {"resourceArn": cluster.arn, "secretArn": cluster.master_secret}
    begun = {**who, "transactionId": cluster.client.begin_transaction(**who, database=cluster.name)["transactionId"]}

    answer = cluster.client.execute_statement(**begun, sql="SELECT current_database()::text")
    assert answer["records"] == [[{"stringValue": cluster.name}]]
    with pytest.raises(ClientError, match="not the same as that of the transaction"):
        cluster.client.execute_statement(**begun, sql="SELECT 1", database="app")
    cluster.client.rollback_transaction(**begun)


def test_the_version_is_not_newer_than_the_clusters(cluster: Cluster) -> None:
    [row] = cluster.master.query("SELECT current_setting('server_version_num')::int / 10000 AS major")
    assert row["major"] == 16


def test_data_outlives_a_stop_and_goes_with_its_cluster(lab: Lab, lab_home: Path, session: boto3.Session) -> None:
    cluster = Cluster(session, made(session, "TriedKept"), "app")
    cluster.master.execute("CREATE TABLE kept (n int)")
    cluster.master.execute("INSERT INTO kept VALUES (7)")
    [server] = servers(lab_home, cluster)
    assert server.username() != "root"
    lab("down")
    assert not server.is_running()
    assert servers(lab_home, cluster) == []
    lab("up", "sqs-lambda")

    assert cluster.master.query("SELECT n FROM kept") == [{"n": 7}]

    [server] = servers(lab_home, cluster)
    cloudformation = session.client("cloudformation")
    cloudformation.delete_stack(StackName="TriedKept")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="TriedKept", WaiterConfig={"Delay": 1})
    assert not server.is_running()
    assert not (lab_home / "emulator" / "postgresql" / cluster.resource).exists()


def in_the_emulator(folder: Path, script: str) -> str:
    """Run a script on the emulator's interpreter, with a server of its own; return what it prints."""
    begin = (
        "import pathlib, sys\n"
        "from lab.emulation.rds.embedded import EmbeddedProgram\n"
        "from lab.emulation.rds.server import Server\n"
        "from lab.emulation.rds import sessions\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "server = Server(folder, lambda: EmbeddedProgram(folder, 16))\n"
        "server.settle('master', 'secret', 'app')\n"
    )
    environ = {"PYTHONPATH": str(ROOT), "POSTGRESQL_ENVIRONMENT": str(folder / "postgresql")}
    words = [f"{begin}{script}server.stop()", folder / "data of a cluster"]
    return run_script(*words, python=python_of("emulator"), **environ).stdout


def test_a_checkout_that_its_owner_alone_can_enter_will_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "postgresql").symlink_to(ENVIRONMENTS / "postgresql")

    who = "print(server.connect('master', 'secret', 'app').run('SELECT current_user'))\n"
    assert in_the_emulator(tmp_path, who) == "[['master']]\n"


def test_a_transaction_that_nobody_uses_is_over_and_undone(tmp_path: Path) -> None:
    (tmp_path / "postgresql").symlink_to(ENVIRONMENTS / "postgresql")
    script = (
        "times = [0]\n"
        "all_of_them = sessions.Sessions(clock=lambda: times[-1])\n"
        "account = sessions.Account(server, 'master', 'secret', 'app')\n"
        "transactions = [all_of_them.begin(account, 'cluster') for _ in range(2)]\n"
        "used, unused = transactions\n"
        "for number in range(3):\n"
        "    with all_of_them.transaction(used, 'cluster').alone() as session:\n"
        "        session.command('SELECT 1' if number else 'CREATE TABLE kept (n int)')\n"
        "    if number == 0:\n"
        "        with all_of_them.transaction(unused, 'cluster').alone() as session:\n"
        "            session.command('CREATE TABLE undone (n int)')\n"
        "    times.append(times[-1] + 100)\n"  # and 180 s are permitted
        "print([all_of_them.transaction(one, 'cluster') is not None for one in transactions])\n"
        "all_of_them.end(used, 'COMMIT')\n"
        "found = server.connect('master', 'secret', 'app').run(\n"
        "    \"SELECT to_regclass('kept')::text, to_regclass('undone')::text\")\n"
        "print(found)\n"
    )
    assert in_the_emulator(tmp_path, script) == "[True, False]\n[['kept', None]]\n"


@pytest.mark.parametrize("operation", ["commit_transaction", "rollback_transaction"])
def test_a_transaction_that_is_over_is_not_found(cluster: Cluster, operation: str) -> None:
    who = {"resourceArn": cluster.arn, "secretArn": cluster.master_secret}
    begun = cluster.client.begin_transaction(**who, database=cluster.name)["transactionId"]
    cluster.client.rollback_transaction(**who, transactionId=begun)

    with pytest.raises(cluster.client.exceptions.TransactionNotFoundException):
        getattr(cluster.client, operation)(**who, transactionId=begun)


def migration(number: int, *statements: str, checksum: str = "as it was") -> Any:
    return history.Migration(number, f"{number:04}_it.sql", checksum, statements)


ONE = migration(1, "CREATE TABLE one (id int)")


@pytest.mark.parametrize(
    ("migrations", "said"),
    [
        ([migration(1, "CREATE TABLE one (id bigint)", checksum="edited")], "0001_it.sql was edited after it ran"),
        ([migration(0, "CREATE TABLE late (id int)")], "0000_it.sql comes before 0001_it.sql, which ran"),
    ],
)
def test_a_migration_that_was_edited_or_comes_too_late_is_refused(
    cluster: Cluster, migrations: Sequence[Any], said: str
) -> None:
    history.migrate(cluster.master, [ONE])

    with pytest.raises(history.MigrationError, match=said):
        history.migrate(cluster.master, migrations)


def test_a_migration_that_fails_has_not_happened_and_the_next_start_goes_on_there(cluster: Cluster) -> None:
    broken = migration(2, "CREATE TABLE two (id int)", "CREATE TABLE one (id int)")
    with pytest.raises(DatabaseError, match="already exists"):
        history.migrate(cluster.master, [ONE, broken])

    assert cluster.master.query("SELECT to_regclass('two')::text AS two, to_regclass('one')::text AS one") == [
        {"two": None, "one": "one"}
    ]
    assert history.migrate(cluster.master, [ONE, migration(2, "CREATE TABLE two (id int)")]) == ["0002_it.sql"]


def test_a_function_with_a_body_of_standard_sql_is_made(cluster: Cluster) -> None:
    text = """
    CREATE TABLE one (id int);
    CREATE FUNCTION added(n int) RETURNS text BEGIN ATOMIC
        INSERT INTO one VALUES (n);
        SELECT CASE WHEN n > 1 THEN 'many' ELSE 'few' END;
    END;
    """
    history.migrate(cluster.master, [migration(1, *statements(text))])

    assert cluster.master.query("SELECT added(2) AS said") == [{"said": "many"}]
    assert cluster.master.query("SELECT id FROM one") == [{"id": 2}]


def test_two_deployments_at_once_run_each_migration_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_PAUSE_SECONDS", 0.05)
    migrations = [migration(number, f"CREATE TABLE t{number} (id int)") for number in range(1, 6)]
    ran: list[str] = []
    threads = [
        threading.Thread(target=lambda: ran.extend(history.migrate(cluster.master, migrations))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(ran) == [one.name for one in migrations]
    assert history.migrate(cluster.master, migrations) == []


def test_whoever_waits_too_long_for_the_lock_is_told(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(history, "_PAUSE_SECONDS", 0.1)

    with history.alone(cluster.master), pytest.raises(history.MigrationError, match="Somebody else has been changing"):
        history.migrate(cluster.master, [ONE])


def test_the_applications_rights_are_those_that_it_is_given_and_reach_later_tables(cluster: Cluster) -> None:
    history.migrate(cluster.master, [ONE])
    for rights in (["SELECT", "INSERT"], ["SELECT"]):
        cluster.make_user(rights=rights)
    history.migrate(cluster.master, [ONE, migration(2, "CREATE TABLE two (id int)")])

    for table in ("one", "two"):
        assert cluster.application.query(f"SELECT * FROM {table}") == []  # noqa: S608
        with pytest.raises(DatabaseError, match=f"permission denied for table {table}"):
            cluster.application.execute(f"INSERT INTO {table} VALUES (1)")  # noqa: S608
    with pytest.raises(DatabaseError, match="permission denied for schema public"):
        cluster.application.execute("CREATE TABLE mine (id int)")


def test_what_a_migration_grants_the_application_and_takes_from_it_outlives_later_deployments(cluster: Cluster) -> None:
    user = f'"{cluster.user}"'
    migrations = [
        migration(1, "CREATE TABLE one (id int, note text)", "CREATE TABLE log (id int)"),
        migration(2, f"GRANT TRUNCATE, UPDATE (note) ON one TO {user}", f"REVOKE INSERT ON log FROM {user}"),
    ]
    for new in (2, 0):
        cluster.make_user(rights=["SELECT", "INSERT"])
        assert len(history.migrate(cluster.master, migrations)) == new

        cluster.application.execute("INSERT INTO one VALUES (1, 'a')")
        cluster.application.execute("UPDATE one SET note = 'b'")
        cluster.application.execute("TRUNCATE one")
        for sql in ("UPDATE one SET id = 2", "DELETE FROM one", "INSERT INTO log VALUES (1)"):
            with pytest.raises(DatabaseError, match="permission denied for table"):
                cluster.application.execute(sql)


def test_a_right_that_is_no_longer_the_applications_is_taken_from_every_table(cluster: Cluster) -> None:
    cluster.make_user(rights=["SELECT", "INSERT"])
    history.migrate(cluster.master, [migration(1, "CREATE TABLE one (id int)", "CREATE TABLE two (id serial)")])
    cluster.application.execute("INSERT INTO two DEFAULT VALUES")
    cluster.make_user(rights=["SELECT", "DELETE"])
    cluster.master.execute("CREATE TABLE three (id int)")

    for table in ("one", "two", "three"):
        cluster.application.execute(f"DELETE FROM {table}")  # noqa: S608
        with pytest.raises(DatabaseError, match=f"permission denied for table {table}"):
            cluster.application.execute(f"INSERT INTO {table} VALUES (1)")  # noqa: S608


RIGHTS = """
SELECT given FROM unnest(ARRAY['DELETE', 'INSERT', 'SELECT', 'TRUNCATE', 'UPDATE']) AS given
WHERE has_table_privilege(:user, 'one', given) ORDER BY given
"""
MEMBERS = """
SELECT rolname::text AS name, rolcanlogin AS logs_in, pg_has_role(oid, 'rds_iam', 'MEMBER') AS has_token
FROM pg_roles WHERE rolname IN (:application, :iam_database_user)
"""


def test_a_user_with_tokens_has_the_applications_rights_and_leaves_it_its_password(cluster: Cluster) -> None:
    iam_database_user = f"token_{cluster.user}"
    for _ in range(2):
        cluster.make_user(rights=["SELECT", "INSERT"])
        with cluster.master.transaction() as transaction:
            users.make_iam_database_user(transaction, iam_database_user, cluster.user)
    grant = f'GRANT TRUNCATE ON one TO "{cluster.user}"'
    history.migrate(cluster.master, [migration(1, "CREATE TABLE one (id int)", grant)])

    found = cluster.application.query(MEMBERS, {"application": cluster.user, "iam_database_user": iam_database_user})
    assert {one["name"]: (one["logs_in"], one["has_token"]) for one in found} == {
        cluster.user: (True, False),
        iam_database_user: (True, True),
    }
    given = cluster.master.query(RIGHTS, {"user": iam_database_user})
    assert [one["given"] for one in given] == ["INSERT", "SELECT", "TRUNCATE"]


def test_a_user_who_has_a_password_gets_no_tokens(cluster: Cluster) -> None:
    cluster.make_user(rights=["SELECT"])
    cluster.master.execute("CREATE ROLE reporting LOGIN PASSWORD 'of a migration'")

    for taken in (cluster.user, "master", "reporting"):
        with (
            cluster.master.transaction() as transaction,
            pytest.raises(users.UserError, match="name another iam_database_user"),
        ):
            users.make_iam_database_user(transaction, taken, cluster.user)
    assert cluster.application.query("SELECT 1 AS still") == [{"still": 1}]
