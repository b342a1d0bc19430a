"""Aurora: SQL goes through the Data API to a real PostgreSQL, with the rights of a user who is not the master."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab import emulator_process, log_events
from lab.aurora.cluster import DeployedCluster
from lab.aurora.plan import Action, Kind, plan
from lab.database import ConstraintViolatedError, DatabaseError, database
from lab.least_privilege import Attempt, answers_to
from lab.postgresql import preparation as postgresql
from lab.project import ROOT
from lab.runbook import Evidence, Exhibit, Runbook, wait_for
from lab.target import TargetName
from lab.temporary_role import role_with
from lambda_src.schema_migrations import files

if TYPE_CHECKING:
    from lab.deployment import Deployment
    from lab.temporary_role import Right

runbook = Runbook()
# Where the stack has them from; to load that would load the CDK.
MIGRATIONS = ROOT / "lab_stacks" / "aurora_migrations"
ROWS = 10_000
#: How the names of owners begin who are this runbook's.
_OURS = "Runbook 山田 "
_READ = "SELECT id, owner, balance, opened_at FROM account WHERE owner LIKE :ours ORDER BY owner"
_WHO = """
SELECT rolname::text AS name, rolsuper OR rolcreaterole OR rolcreatedb AS may_more
FROM pg_roles WHERE rolname = current_user
"""
_USERS = """
SELECT rolname::text AS name, rolsuper OR rolcreaterole OR rolcreatedb AS may_more,
    pg_has_role(oid, 'rds_iam', 'MEMBER') AS has_token,
    (SELECT string_agg(concat_ws(' ', given, relname), ', ' ORDER BY relname, given)
     FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS given
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         AND has_table_privilege(pg_roles.oid, pg_class.oid, given)) AS rights
FROM pg_roles WHERE rolname IN (current_user, :iam_database_user)
"""
_SECRETS = ("MasterSecretArn", "ApplicationSecretArn")


class UndoneError(Exception):
    """Leaves a transaction, which is to be rolled back."""


@runbook.check("Every migration ran once, as its file says", evidence=Evidence.REAL_DATABASE)
def migrations_ran(deployed: Deployment) -> str:
    """What the database remembers of them, with their checksums, and which server it is, in a container or embedded."""
    master = database(deployed, "MasterSecretArn")
    applied = master.query("SELECT name, checksum FROM migrations.applied ORDER BY number")
    known = [{"name": one.name, "checksum": one.checksum} for one in files.read(MIGRATIONS).migrations]
    assert applied == known, f"{[one['name'] for one in applied]} ran, and the folder has other ones"
    [server] = master.query("SELECT version() AS version")
    return f"{len(applied)} migrations, on {server['version'].partition(' on ')[0]}{_program(deployed)}"


@runbook.check("10,000 rows that were inserted in batches come back as they were", evidence=Evidence.REAL_DATABASE)
def rows_come_back(deployed: Deployment) -> str:
    """UUIDs, decimals, texts of any script and moments, read page by page: a response holds 1 MiB."""
    application = database(deployed, "ApplicationSecretArn")
    application.execute("DELETE FROM account WHERE owner LIKE :ours", {"ours": f"{_OURS}%"})
    accounts = {one["id"]: one for one in map(_account, range(ROWS))}
    inserted = application.execute_batch(
        "INSERT INTO account (id, owner, balance, opened_at) VALUES (:id, :owner, :balance, :opened_at)",
        accounts.values(),
    )
    pages = [*application.pages(_READ, {"ours": f"{_OURS}%"}, size=4000)]
    read = {one["id"]: one for one in chain.from_iterable(pages)}
    assert inserted == len(read) == ROWS, f"{inserted} were inserted, and {len(read)} came back"
    changed = [one for key, one in read.items() if one != accounts[key]]
    assert not changed, f"{len(changed)} are not what was inserted: {changed[0]}"
    return f"{len(read):,} rows in {len(pages)} pages, all equal"


@runbook.check("A transaction that is rolled back leaves nothing behind", evidence=Evidence.REAL_DATABASE)
def rollback_undoes(deployed: Deployment) -> str:
    """Inside it the row is there, outside it never is."""
    application = database(deployed, "ApplicationSecretArn")
    made = _account(ROWS)

    def seen_by(reader: Any) -> int:
        return len(reader.query("SELECT id FROM account WHERE id = :id", {"id": made["id"]}))

    inside = outside = 0
    try:
        with application.transaction() as transaction:
            transaction.execute("INSERT INTO account (id, owner) VALUES (:id, :owner)", _only(made, "id", "owner"))
            inside, outside = seen_by(transaction), seen_by(application)
            raise UndoneError
    except UndoneError:
        pass
    after = seen_by(application)
    assert (inside, outside, after) == (1, 0, 0), f"it was seen {inside} times inside, {outside} outside, {after} after"
    return "seen by its own transaction alone, and by nobody afterwards"


@runbook.check(
    "A violated constraint is named, undoes all of the transfer, and shows no data", evidence=Evidence.REAL_DATABASE
)
def constraint_is_reported(deployed: Deployment) -> str:
    """An account cannot be overdrawn: the creditor has no more than before. Nor can an owner have two accounts."""
    application = database(deployed, "ApplicationSecretArn")
    debtor, creditor = ({**_account(number), "balance": Decimal("10.00")} for number in (ROWS + 1, ROWS + 2))
    insert = "INSERT INTO account (id, owner, balance) VALUES (:id, :owner, :balance)"
    with application.transaction() as transaction:
        transaction.execute(
            "DELETE FROM account WHERE owner IN (:one, :other)", {"one": debtor["owner"], "other": creditor["owner"]}
        )
        transaction.execute_batch(insert, [_only(one, "id", "owner", "balance") for one in (debtor, creditor)])
    transfer = {"debtor": debtor["id"], "creditor": creditor["id"], "amount": Decimal("10.01")}
    overdrawn = _violation(application, "SELECT move(:debtor, :creditor, :amount) AS made", transfer)
    twice = _violation(application, insert, {"id": uuid.uuid4(), "owner": debtor["owner"], "balance": 0})
    balances = application.query(
        "SELECT balance FROM account WHERE id = :debtor OR id = :creditor", _only(transfer, "debtor", "creditor")
    )
    assert overdrawn.constraint == "not_overdrawn", f"the violated constraint is {overdrawn.constraint}"
    assert twice.constraint == "one_account_each", f"the violated constraint is {twice.constraint}"
    assert [one["balance"] for one in balances] == [Decimal("10.00")] * 2, f"the balances are {balances}"
    assert debtor["owner"] not in str(twice), f"the error quotes the row: {twice}"
    return f"{overdrawn.constraint} ({overdrawn.sqlstate}), {twice.constraint} ({twice.sqlstate})"


@runbook.check("The application's database user has its rights and no others", evidence=Evidence.REAL_DATABASE)
def user_has_only_its_rights(deployed: Deployment) -> str:
    """It is not the master, changes no schema, makes no user, and does not read what ran."""
    application = database(deployed, "ApplicationSecretArn")
    [who] = application.query(_WHO)
    [master] = database(deployed, "MasterSecretArn").query("SELECT current_user::text AS name")
    assert who["name"] != master["name"], f"it is the master, {who['name']}"
    assert not who["may_more"], f"{who['name']} may make users or databases"
    statements = (
        "CREATE TABLE mine (id integer)",
        "DROP TABLE account",
        "ALTER TABLE account DROP CONSTRAINT not_overdrawn",
        "SELECT * FROM migrations.applied",
        "CREATE ROLE more LOGIN",
    )
    answers = {" ".join(one.split()[:2]): _state(application, one) for one in statements}
    assert set(answers.values()) == {"42501"}, f"42501 is a missing right, and the answers are {answers}"
    return f"{who['name']} is refused {', '.join(answers)}"


@runbook.check(
    "A second user logs in with a token of IAM, and has the application's rights", evidence=Evidence.REAL_DATABASE
)
def iam_database_user_has_the_applications_rights(deployed: Deployment) -> str:
    """The one is a member of `rds_iam`, the other, whose password the Data API needs, is not; no token is tried."""
    iam_database_user = deployed.output("IamDatabaseUser")
    found = database(deployed, "ApplicationSecretArn").query(_USERS, {"iam_database_user": iam_database_user})
    users = {one.pop("name"): one for one in found}
    with_token, [with_password] = users.pop(iam_database_user), users.values()
    assert with_token["has_token"], f"{iam_database_user} is no member of rds_iam"
    assert not with_password["has_token"], "the application's user is a member of rds_iam, and has no password then"
    assert not with_token["may_more"], f"{iam_database_user} may make users or databases"
    assert with_token["rights"] == with_password["rights"], f"{with_token['rights']}; {with_password['rights']}"
    return f"{iam_database_user}: {with_token['rights']}"


@runbook.check("A function's role reaches this cluster and no other", evidence=Evidence.EMULATED)
def role_is_least_privilege(deployed: Deployment) -> str:
    """Tried by a function that has the same role as the one that migrates."""
    other = deployed.output("ClusterArn") + "-of-somebody-else"
    [function] = [name for name in deployed.physical_ids("AWS::Lambda::Function") if "Schema" in name]
    answers = answers_to(
        deployed,
        function,
        [
            Attempt(
                "rds-data:ExecuteStatement",
                other,
                {"resourceArn": other, "secretArn": deployed.output("MasterSecretArn"), "sql": "SELECT 1"},
                "execute_statement",
            ),
            Attempt(
                "secretsmanager:PutSecretValue",
                deployed.output("MasterSecretArn"),
                {"SecretId": deployed.output("MasterSecretArn"), "SecretString": "{}"},
                "put_secret_value",
            ),
        ],
    )
    for action, answer in answers.items():
        assert answer.startswith("AccessDenied"), f"{action} was not refused: {answer}"
    return f"refused: {', '.join(answers)}"


@runbook.check("SQL needs the right to the cluster, and to the secret too", evidence=Evidence.EMULATED)
def iam_refuses(deployed: Deployment) -> str:
    """A role that has neither is refused, one that has the first is too, and one that has both is not."""
    cluster, secret = deployed.output("ClusterArn"), deployed.output("ApplicationSecretArn")
    rights: list[Right] = [("rds-data:ExecuteStatement", cluster), ("secretsmanager:GetSecretValue", secret)]

    def answered(given: list[Right]) -> str:
        with role_with(deployed, given) as credentials:
            client = deployed.client("rds-data", **credentials)
            request = {"resourceArn": cluster, "secretArn": secret, "database": deployed.output("DatabaseName")}
            if given == rights:
                # AWS takes some seconds until a right that was given is in force.
                wait_for(lambda: _answer(client, **request) == "permitted")
            return _answer(client, **request)

    answers = [answered(rights[:count]) for count in range(len(rights) + 1)]
    assert answers[2] == "permitted", f"a role with both rights is answered {answers[2]}"
    for answer, lacking in zip(answers, ("any right", "the right to the secret"), strict=False):
        assert answer != "permitted", f"a role without {lacking} is permitted"
    return f"without any: {answers[0]}; without the secret's: {answers[1]}; with both: {answers[2]}"


@runbook.check("No password is in the template, the outputs, the logs or an error", evidence=Evidence.EMULATED)
def passwords_are_nowhere(deployed: Deployment) -> str:
    """Looked for wherever a deployment leaves something, and in what a wrong statement about the user answers."""
    manager = deployed.client("secretsmanager")
    passwords = [
        json.loads(manager.get_secret_value(SecretId=deployed.output(name))["SecretString"])["password"]
        for name in _SECRETS
    ]
    unused = str(uuid.uuid4())
    places = {
        "the template": json.dumps(deployed.template()),
        "the outputs": json.dumps(dict(deployed.outputs)),
        "the events of the stack": json.dumps(_stack_events(deployed), default=str),
        "the environments of functions": json.dumps(_environments(deployed)),
        "the logs of functions": "\n".join(
            event.message for event in log_events.read(deployed, seconds=3600, follow=False)
        ),
        # Not with one that opens something: PostgreSQL writes a statement that fails into its log.
        "an error": _error(deployed, f"ALTER ROLE nobody PASSWORD '{unused}'"),
    }
    if deployed.target.name is TargetName.LOCAL:
        places["the emulator's log"] = emulator_process.LOG.read_text(errors="replace")
    for place, text in places.items():
        assert not any(password in text for password in (*passwords, unused)), f"a password is in {place}"
    if deployed.target.name is TargetName.AWS:
        # Of a statement that failed they have all, and so the password that opens nothing.
        places["the logs of the cluster"] = _cluster_logs(deployed)
        leaked = any(password in places["the logs of the cluster"] for password in passwords)
        assert not leaked, "a password is in the logs of the cluster"
    return f"not in {', '.join(places)}"


@runbook.check("The cluster scales between the capacities that were asked for", evidence=Evidence.CONTROL_PLANE_ONLY)
def capacity_is_as_asked(deployed: Deployment) -> str:
    """Minimum, which may be 0, and maximum; the Data API is on, and no instance has a public address."""
    [cluster] = deployed.client("rds").describe_db_clusters(DBClusterIdentifier=deployed.output("ClusterIdentifier"))[
        "DBClusters"
    ]
    asked = next(
        resource["Properties"]
        for resource in deployed.template()["Resources"].values()
        if resource["Type"] == "AWS::RDS::DBCluster"
    )
    assert cluster["HttpEndpointEnabled"], "the Data API is off"
    instances = deployed.client("rds").describe_db_instances(
        Filters=[{"Name": "db-cluster-id", "Values": [deployed.output("ClusterIdentifier")]}]
    )["DBInstances"]
    public = [one["DBInstanceIdentifier"] for one in instances if one["PubliclyAccessible"]]
    assert not public, f"{public} have a public address"
    wanted, scaling = asked.get("ServerlessV2ScalingConfiguration"), cluster.get("ServerlessV2ScalingConfiguration")
    if not wanted:
        return f"{len(instances)} instances of a fixed size"
    for bound in ("MinCapacity", "MaxCapacity"):
        assert float(scaling[bound]) == float(wanted[bound]), f"{bound} is {scaling[bound]}, not {wanted[bound]}"
    pauses = ", and pauses" if scaling["MinCapacity"] == 0 else ""
    return f"{scaling['MinCapacity']:g} to {scaling['MaxCapacity']:g} ACUs{pauses}; {len(instances)} instances"


@runbook.check("Connections need TLS, storage is encrypted, and nobody chose a password", evidence=Evidence.TEMPLATE)
def cluster_is_closed(deployed: Deployment) -> str:
    """What was deployed says so: the emulator has no storage to encrypt, and no network to connect by."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for resource in deployed.template()["Resources"].values():
        by_type.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    [cluster], [group] = by_type["AWS::RDS::DBCluster"], by_type["AWS::RDS::DBClusterParameterGroup"]
    assert group["Parameters"]["rds.force_ssl"] == "1", "a connection without TLS is accepted"
    assert cluster["StorageEncrypted"], "storage is not encrypted"
    assert cluster["ManageMasterUserPassword"], "Amazon RDS does not manage the master user's password"
    assert "MasterUserPassword" not in cluster, "the template has the master user's password"
    return f"{cluster['Engine']} {cluster['EngineVersion']}, logs: {', '.join(cluster['EnableCloudwatchLogsExports'])}"


@runbook.check(
    "Every instance is one that the stack declares, one of them writes, and a swap knows its steps",
    evidence=Evidence.CONTROL_PLANE_ONLY,
)
def instances_can_be_swapped(deployed: Deployment) -> str:
    """`lab aurora swap` takes them; here nothing is changed."""
    state = DeployedCluster(deployed.section, deployed.target).observe()
    assert {member.kind for member in state.members} == set(state.declared), f"{state}"
    assert sum(member.is_writer for member in state.members) == 1, f"{state}"
    steps = {to: plan(state, to) for to in Kind}
    for to, left in steps.items():
        removed = [step for step in left if step.action is Action.REMOVE]
        assert bool(removed) == (state.declared != (to,)), f"to {to.value}: {left}"
    return "; ".join(f"to {to.value}: {len(left)} steps" for to, left in steps.items())


@runbook.show
def accounts(deployed: Deployment) -> Exhibit:
    """Show what a person would look up: who has the most."""
    rows = database(deployed, "ApplicationSecretArn").query(
        "SELECT owner, balance, opened_at FROM account ORDER BY balance DESC, owner LIMIT 5"
    )
    return Exhibit("account", ["owner", "balance", "opened_at"], [[*map(str, one.values())] for one in rows])


def _program(deployed: Deployment) -> str:
    if deployed.target.name is not TargetName.LOCAL:
        return ""
    [cluster] = deployed.client("rds").describe_db_clusters(DBClusterIdentifier=deployed.output("ClusterIdentifier"))[
        "DBClusters"
    ]
    return f", {postgresql.program_of(cluster['DbClusterResourceId'])}"


def _account(number: int) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "owner": f"{_OURS}{number:05}",
        "balance": Decimal(number * 37 % 100_000) / 100,
        "opened_at": datetime(2026, 1, 1 + number % 28, number % 24, number % 60, tzinfo=timezone.utc),
    }


def _only(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names}


def _violation(application: Any, sql: str, values: dict[str, Any]) -> ConstraintViolatedError:
    try:
        application.query(sql, values)
    except ConstraintViolatedError as error:
        return error
    raise AssertionError(f"nothing was violated by {sql}")


def _error(deployed: Deployment, sql: str) -> str:
    try:
        database(deployed, "MasterSecretArn").execute(sql)
    except DatabaseError as error:
        return str(error)
    raise AssertionError("a user who does not exist has a password now")


def _state(application: Any, sql: str) -> str | None:
    try:
        application.execute(sql)
    except DatabaseError as error:
        return error.sqlstate
    return "permitted"


def _answer(client: Any, **request: str) -> str:
    try:
        client.execute_statement(sql="SELECT 1", **request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "permitted"


def _stack_events(deployed: Deployment) -> list[Any]:
    pages = deployed.client("cloudformation").get_paginator("describe_stack_events")
    return [event for page in pages.paginate(StackName=deployed.section.stack_id) for event in page["StackEvents"]]


def _cluster_logs(deployed: Deployment) -> str:
    """Read what the cluster exports, which the emulator's does not."""
    prefix = f"/aws/rds/cluster/{deployed.output('ClusterIdentifier')}/"
    groups = [name for name in deployed.physical_ids("AWS::Logs::LogGroup") if name.startswith(prefix)]
    assert groups, f"the stack has no log group {prefix}..."
    return "\n".join(one.message for one in log_events.read_groups(deployed, groups, seconds=3600, follow=False))


def _environments(deployed: Deployment) -> list[Any]:
    client = deployed.client("lambda")
    return [
        client.get_function_configuration(FunctionName=name).get("Environment")
        for name in deployed.physical_ids("AWS::Lambda::Function")
    ]
