"""AppSync's real-time endpoint on the emulator: who may subscribe, and who is sent what of which mutation."""

from __future__ import annotations

import base64
import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from gql.transport.appsync_auth import AppSyncIAMAuthentication
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .graphql_apis import JS, Api, made, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

    from .conftest import Emulated

Message = dict[str, Any]

SCHEMA = """
type Query { note: Note }
type Mutation {
  publish(id: ID!, text: String!, genre: String, cost: String): Note @aws_api_key @aws_iam
  withdraw(id: ID!): Note
  end(id: ID!): Note
}
type Subscription {
  onNote(id: ID, genre: String): Note @aws_api_key @aws_iam @aws_subscribe(mutations: ["publish"])
  onAny: Note @aws_api_key @aws_cognito_user_pools @aws_subscribe(mutations: ["publish", "withdraw"])
  onCost: Note @aws_iam @aws_subscribe(mutations: ["publish"])
  onOwn(genre: String!): Note @aws_subscribe(mutations: ["publish"])
  onFiltered: Note @aws_subscribe(mutations: ["publish"])
  onCertain: Note! @aws_subscribe(mutations: ["publish"])
}
type Note @aws_api_key @aws_iam @aws_cognito_user_pools {
  id: ID!
  text: String!
  genre: String
  cost: String @aws_iam
}
"""
SENDS_BACK = """
export function request(ctx) { return { payload: ctx.args }; }
export function response(ctx) { return ctx.result; }
"""
REFUSES = """
import { util } from '@aws-appsync/utils';
export function request(ctx) { util.error('It cannot be withdrawn.', 'Kept'); }
export function response(ctx) { return ctx.result; }
"""
ONLY_NOVELS = """
import { util } from '@aws-appsync/utils';
// Who may not is refused here; extensions.setSubscriptionFilter( ) would only send less.
export function request(ctx) { return { payload: null }; }
export function response(ctx) {
  if (ctx.args.genre !== 'novel') util.unauthorized();
  return null;
}
"""
FILTERS = """
import { extensions } from '@aws-appsync/utils';
export function request(ctx) { return { payload: null }; }
export function response(ctx) {
  extensions.setSubscriptionFilter({ filterGroup: [{ filters: [{ fieldName: 'id', operator: 'eq', value: '1' }] }] });
  return null;
}
"""
ENDS = """
import { extensions as subscriptions } from '@aws-appsync/utils';
export function request(ctx) { return { payload: ctx.args }; }
export function response(ctx) {
  subscriptions.invalidateSubscriptions({ subscriptionField: 'onNote', payload: ctx.args });
  return ctx.result;
}
"""
NOT_AUTHORIZED = {"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."}
ALL = "id text genre"


@dataclass(frozen=True)
class Notes(Api):
    """An API that sends back what it is told, for callers with a key, a signature, or a token."""

    key: Message
    pool_id: str
    client_id: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def publish(self, fields: str = ALL, **note: str) -> Message:
        arguments = ", ".join(f"{name}: {json.dumps(value)}" for name, value in note.items())
        return self.ask(f'mutation {{ publish(text: "told", {arguments}) {{ {fields} }} }}')

    def ask(self, query: str) -> Message:
        with httpx.Client(trust_env=False, timeout=35) as http:
            answer: Message = http.post(self.url, json={"query": query}, headers=self.key).json()
        return answer

    def signing(self, session: boto3.Session, region: str = "us-east-1") -> AppSyncIAMAuthentication:
        credentials: Any = session.get_credentials()
        return AppSyncIAMAuthentication(self.host, region_name=region, credentials=credentials.get_frozen_credentials())


@pytest.fixture(scope="module")
def notes(emulated: Emulated) -> Iterator[Notes]:
    cognito = emulated.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="Notes")["UserPool"]["Id"]
    flows = {"ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
    client = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="Tests", **flows)["UserPoolClient"]
    with made(emulated, SCHEMA, authentication="API_KEY", pool_id=pool_id, others=("AWS_IAM",)) as api:
        api.add_source("None", type="NONE")
        api.add_resolver("Mutation.publish", "None", SENDS_BACK)
        api.add_resolver("Mutation.withdraw", "None", REFUSES)
        api.add_resolver("Mutation.end", "None", ENDS)
        api.add_resolver("Subscription.onOwn", "None", ONLY_NOVELS)
        api.add_resolver("Subscription.onFiltered", "None", FILTERS)
        key = emulated.client("appsync").create_api_key(apiId=api.api_id)["apiKey"]["id"]
        yield Notes(emulated, api.api_id, {"x-api-key": key}, pool_id, client["ClientId"])
    cognito.delete_user_pool(UserPoolId=pool_id)


class Listener:
    """A client that says exactly what a test has it say."""

    def __init__(self, connection: ClientConnection, authorization: Message) -> None:
        self._connection = connection
        self._authorization = authorization

    def say(self, **message: Any) -> None:
        self._connection.send(json.dumps(message))

    def hear(self) -> Message:
        """Return what comes next, but for what keeps the connection."""
        while (message := json.loads(self._connection.recv(timeout=20)))["type"] == "ka":
            pass
        heard: Message = message
        return heard

    def start(self, query: str, name: str = "1", *, authorization: Message | None = None, **asked: Any) -> Message:
        text = json.dumps({"query": query, **asked})
        who = self._authorization if authorization is None else authorization
        self.say(type="start", id=name, payload={"data": text, "extensions": {"authorization": who}})
        return self.hear()


@contextmanager
def listening(notes: Notes, authorization: Message | None = None, **options: Any) -> Iterator[Listener]:
    who = notes.key if authorization is None else authorization
    header = base64.b64encode(json.dumps({"host": notes.host, **who}).encode()).decode()
    settings: dict[str, Any] = {
        "subprotocols": ["graphql-ws"],
        "proxy": None,
        "query": f"?header={header}&payload=e30=",
    }
    settings |= options
    with connect(notes.realtime_url + settings.pop("query"), **settings) as connection:
        yield Listener(connection, who)


@contextmanager
def role(notes: Notes, *fields: str) -> Iterator[boto3.Session]:
    """Be a role that may ask for these fields alone."""
    iam, sts = notes.emulated.client("iam"), notes.emulated.client("sts")
    name = f"Listener-{secrets.token_hex(4)}"
    trust = policy("sts:AssumeRole", Principal={"AWS": "arn:aws:iam::000000000000:root"})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    resources = [f"{notes.arn}/types/{'/fields/'.join(field.split('.'))}" for field in fields]
    document = policy("appsync:GraphQL", Resource=resources)
    iam.put_role_policy(RoleName=name, PolicyName="fields", PolicyDocument=document)
    credentials = sts.assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]
    yield boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name="us-east-1",
    )
    iam.delete_role_policy(RoleName=name, PolicyName="fields")
    iam.delete_role(RoleName=name)


def errors(message: Message, kind: str = "error") -> list[Message]:
    assert message["type"] == kind, message
    told: list[Message] = message["payload"]["errors"]
    return told


def subscription(field: str, wants: str = ALL) -> str:
    return f"subscription {{ {field} {{ {wants} }} }}"


# Who is refused


@pytest.mark.parametrize(
    "authorization", [{}, {"x-api-key": "da2-nobodys"}, {"Authorization": ""}, {"Authorization": "no.token.here"}]
)
def test_a_connection_of_nobody_is_refused(notes: Notes, authorization: Message) -> None:
    with listening(notes, authorization) as listener:
        assert errors(listener.hear(), "connection_error") == [{"errorCode": 401, **NOT_AUTHORIZED}]


@pytest.mark.parametrize("query", ["", "?header=%7B&payload=e30=", "?header=bm90IEpTT04=&payload=e30=", "?header=WzFd"])
def test_a_header_that_says_nothing_is_refused(notes: Notes, query: str) -> None:
    with listening(notes, query=query) as listener:
        assert errors(listener.hear(), "connection_error") == [{"errorCode": 401, **NOT_AUTHORIZED}]


def test_a_connection_with_another_protocol_is_refused(notes: Notes) -> None:
    with listening(notes, subprotocols=["graphql-transport-ws"]) as listener:
        said = [{"message": "SubProtocolNotSupportedError", "errorCode": 400}]
        assert errors(listener.hear(), "connection_error") == said


def test_a_page_from_elsewhere_does_not_connect(notes: Notes) -> None:
    with pytest.raises(InvalidStatus), listening(notes, origin="https://example.com"):
        pass


def test_a_signature_of_nobody_or_of_another_message_is_refused(notes: Notes) -> None:
    stranger = boto3.Session(aws_access_key_id="AKIANOBODY", aws_secret_access_key="x", region_name="us-east-1")
    query = json.dumps({"query": subscription("onNote")})
    with role(notes, "Subscription.onNote") as session:
        signing = notes.signing(session)
        for signed in (notes.signing(stranger).get_headers(), signing.get_headers(query)):
            with listening(notes, signed) as listener:
                assert errors(listener.hear(), "connection_error") == [{"errorCode": 401, **NOT_AUTHORIZED}]
        with listening(notes, signing.get_headers()) as listener:
            other = signing.get_headers(json.dumps({"query": subscription("onAny")}))
            assert errors(listener.start(subscription("onNote"), authorization=other)) == [NOT_AUTHORIZED]


def test_a_role_subscribes_to_what_its_policy_permits_and_to_nothing_else(notes: Notes) -> None:
    with (
        role(notes, "Subscription.onNote") as session,
        listening(notes, notes.signing(session).get_headers()) as listener,
    ):

        def start(query: str, name: str) -> Message:
            signed = notes.signing(session).get_headers(json.dumps({"query": query}))
            return listener.start(query, name, authorization=signed)

        refused = start(subscription("onCost"), "1")
        assert errors(refused) == [{"errorType": "UnauthorizedException", "message": "Permission denied"}]
        assert start(subscription("onNote"), "1")["type"] == "start_ack"


@pytest.mark.parametrize("authorization", [{}, {"x-api-key": "da2-nobodys"}])
def test_each_subscription_is_authorized_by_itself(notes: Notes, authorization: Message) -> None:
    with listening(notes) as listener:
        assert errors(listener.start(subscription("onNote"), authorization=authorization)) == [NOT_AUTHORIZED]


def test_a_field_for_other_callers_is_refused(notes: Notes) -> None:
    with listening(notes) as listener:
        [told] = errors(listener.start(subscription("onCost")))
    assert (told["errorType"], told["message"]) == (
        "Unauthorized",
        "Not Authorized to access onCost on type Subscription",
    )


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("subscription { onNote { title } }", "ValidationError"),
        ("subscription { onNote { id } onAny { id } }", "ValidationError"),
        ("subscription {", "MalformedHttpRequestException"),
        ("subscription { onAny @skip(if: true) { id } }", "BadRequestException"),
        ("{ note { id } }", "UnsupportedOperation"),
        ('mutation { publish(id: "1", text: "") { id } }', "UnsupportedOperation"),
    ],
)
def test_what_is_no_subscription_of_the_schema_is_refused(notes: Notes, query: str, kind: str) -> None:
    with listening(notes) as listener:
        assert {told["errorType"] for told in errors(listener.start(query))} == {kind}


def test_a_subscription_that_breaks_the_emulator_fails_alone(notes: Notes) -> None:
    with listening(notes) as listener:
        assert listener.start(subscription("onAny", "id"))["type"] == "start_ack"
        [told] = errors(listener.start("subscription " + 5000 * "{ onAny ", "2"))  # deeper than its parser goes
        assert told["errorType"] == "InternalFailure"
        notes.publish(id="1")
        assert listener.hear() == {"type": "data", "id": "1", "payload": {"data": {"onAny": {"id": "1"}}}}


@pytest.mark.parametrize("asked", [{"query": 7}, {"query": subscription("onAny"), "variables": [1]}, {}])
def test_a_query_that_is_none_is_refused(notes: Notes, asked: Message) -> None:
    with listening(notes) as listener:
        payload = {"data": json.dumps(asked), "extensions": {"authorization": notes.key}}
        listener.say(type="start", id="1", payload=payload)
        assert errors(listener.hear())[0]["errorType"] == "MalformedHttpRequestException"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "id": "1"},
        {"type": "stop", "id": "7"},
        {"type": "start", "id": "1", "payload": {"query": "subscription { onAny { id } }"}},
        {"type": "start", "id": "1"},
        {"type": "start", "id": "1", "payload": {"data": {}, "extensions": {"authorization": {}}}},
        {},
    ],
)
def test_what_is_not_of_the_protocol_is_refused_and_the_connection_goes_on(notes: Notes, message: Message) -> None:
    with listening(notes) as listener:
        listener.say(**message)
        said = {"errorType": "UnsupportedOperation", "message": "unknown not supported through the realtime channel"}
        assert errors(listener.hear()) == [said]
        assert listener.start(subscription("onAny"))["type"] == "start_ack"


def test_an_id_that_is_taken_is_refused(notes: Notes) -> None:
    with listening(notes) as listener:
        assert listener.start(subscription("onAny"))["type"] == "start_ack"
        assert errors(listener.start(subscription("onAny")))[0]["errorType"] == "BadRequestException"


def test_the_subscriptions_own_resolver_may_refuse_it(notes: Notes) -> None:
    with listening(notes) as listener:
        [told] = errors(listener.start(subscription('onOwn(genre: "diary")'), "1"))
        assert told["errorType"] == "Unauthorized"
        assert listener.start(subscription('onOwn(genre: "novel")', "id"), "2")["type"] == "start_ack"
        for genre in ("diary", "novel"):
            notes.publish(id=genre, genre=genre)
        assert listener.hear() == {"type": "data", "id": "2", "payload": {"data": {"onOwn": {"id": "novel"}}}}


def test_what_is_not_emulated_is_refused_and_said(notes: Notes) -> None:
    with listening(notes) as listener:
        [filtering] = errors(listener.start(subscription("onFiltered")))
    [ending] = notes.ask('mutation { end(id: "1") { id } }')["errors"]

    assert filtering["message"] == "extensions.setSubscriptionFilter is not emulated: on AWS alone."
    assert ending["message"] == "extensions.invalidateSubscriptions is not emulated: on AWS alone."


@pytest.mark.parametrize(
    "call",
    [
        "extensions.setSubscriptionInvalidationFilter({});",
        "extensions['setSubscriptionInvalidationFilter']({});",
        "const { setSubscriptionInvalidationFilter: end } = extensions; end({});",
    ],
)
def test_what_is_not_emulated_is_refused_however_it_is_called(notes: Notes, call: str) -> None:
    code = f"import {{ extensions }} from '@aws-appsync/utils';\nexport function request(ctx) {{ {call} return {{}}; }}"
    answer = notes.appsync.evaluate_code(runtime=JS, code=code, function="request", context="{}")
    message = "extensions.setSubscriptionInvalidationFilter is not emulated: on AWS alone."
    assert answer["error"]["message"] == message


def test_a_subscription_that_must_answer_at_once_cannot(notes: Notes) -> None:
    with listening(notes) as listener:
        [told] = errors(listener.start(subscription("onCertain")))
    assert told["message"] == "Cannot return null for non-nullable field Subscription.onCertain."


# Who is sent what


def test_a_connection_is_acknowledged_with_how_long_it_lasts_without_a_sign_of_life(notes: Notes) -> None:
    with listening(notes) as listener:
        listener.say(type="connection_init")
        assert listener.hear() == {"type": "connection_ack", "payload": {"connectionTimeoutMs": 300_000}}
        assert json.loads(listener._connection.recv(timeout=20)) == {"type": "ka"}


def test_authorization_in_a_subprotocol_is_as_good(notes: Notes) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"host": notes.host, **notes.key}).encode()).decode().rstrip("=")
    with listening(notes, query="", subprotocols=["graphql-ws", f"header-{header}"]) as listener:
        assert listener.start(subscription("onAny"))["type"] == "start_ack"


def test_arguments_want_what_the_mutation_answered_and_none_wants_everything(notes: Notes) -> None:
    with listening(notes) as listener:
        for name, field in {
            "all": "onNote",
            "id": 'onNote(id: "2")',
            "both": 'onNote(id: "2", genre: "novel")',
            "null": "onNote(genre: null)",
        }.items():
            assert listener.start(subscription(field, "id genre"), name)["type"] == "start_ack"
        unset = "subscription of($genre: String) { onNote(genre: $genre) { id genre } }"
        assert listener.start(unset, "unset")["type"] == "start_ack"

        notes.publish(id="1", genre="novel")
        notes.publish(id="2", genre="diary")
        notes.publish(id="2", genre="novel")
        notes.publish(id="3")
        # Who wants a genre does not hear of a note whose genre was not selected.
        notes.publish("id text", id="2", genre="novel")
        notes.publish(id="9", genre="end")

        heard: dict[str, list[tuple[str, str | None]]] = {"all": []}
        while ("9", "end") not in heard["all"]:
            message = listener.hear()
            note = message["payload"]["data"]["onNote"]
            heard.setdefault(message["id"], []).append((note["id"], note["genre"]))

    assert heard["id"] == [("2", "diary"), ("2", "novel"), ("2", None)]
    assert heard["both"] == [("2", "novel")]
    assert heard["null"] == heard["unset"] == [("3", None), ("2", None)]
    everything = [("1", "novel"), ("2", "diary"), ("2", "novel"), ("3", None), ("2", None), ("9", "end")]
    assert heard["all"] == everything


def test_only_what_the_mutation_selected_is_sent(notes: Notes) -> None:
    with listening(notes) as listener:
        listener.start(subscription("onNote", "id genre"), "1")
        listener.start(subscription("onNote", "text"), "2")
        notes.publish("id", id="1", genre="novel")
        told = {message["id"]: message["payload"] for message in (listener.hear(), listener.hear())}

    assert told["1"] == {"data": {"onNote": {"id": "1", "genre": None}}}
    assert told["2"]["data"] == {"onNote": None}
    assert told["2"]["errors"][0]["message"] == "Cannot return null for non-nullable field Note.text."


def test_a_field_is_for_the_subscriber_or_not_whoever_made_the_mutation(notes: Notes) -> None:
    query = subscription("onNote", "id cost")
    signing = notes.signing(notes.emulated.session)
    mutation = '{"query": "mutation { publish(id: \\"1\\", text: \\"\\", cost: \\"7\\") { id cost } }"}'
    with listening(notes) as listener:
        signed = signing.get_headers(json.dumps({"query": query}))
        assert listener.start(query, "key")["type"] == "start_ack"
        assert listener.start(query, "role", authorization=signed)["type"] == "start_ack"
        with httpx.Client(trust_env=False) as http:
            headers = {name: value for name, value in signing.get_headers(mutation).items() if name != "host"}
            answer = http.post(notes.url, content=mutation, headers=headers).json()
        told = {message["id"]: message["payload"] for message in (listener.hear(), listener.hear())}

    assert answer["data"]["publish"]["cost"] == "7"
    assert told["role"] == {"data": {"onNote": {"id": "1", "cost": "7"}}}
    assert told["key"]["data"] == {"onNote": {"id": "1", "cost": None}}
    assert told["key"]["errors"][0]["errorType"] == "Unauthorized"


def test_who_signed_in_may_subscribe(notes: Notes) -> None:
    cognito, password = notes.emulated.client("cognito-idp"), f"{secrets.token_urlsafe(16)}aA1!"
    cognito.admin_create_user(UserPoolId=notes.pool_id, Username="ada", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=notes.pool_id, Username="ada", Password=password, Permanent=True)
    parameters = {"USERNAME": "ada", "PASSWORD": password}
    flow: dict[str, Any] = {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters}
    answer = cognito.admin_initiate_auth(UserPoolId=notes.pool_id, ClientId=notes.client_id, **flow)
    token = {"Authorization": answer["AuthenticationResult"]["AccessToken"]}

    with listening(notes, token) as listener:
        assert errors(listener.start(subscription("onNote")))[0]["errorType"] == "Unauthorized"
        assert listener.start(subscription("onAny"))["type"] == "start_ack"
        # Each subscription of a connection is somebody's.
        assert listener.start(subscription("onNote"), "2", authorization=notes.key)["type"] == "start_ack"


def test_a_mutation_that_fails_is_not_told_and_what_was_stopped_hears_nothing(notes: Notes) -> None:
    with listening(notes) as listener:
        listener.start(subscription("onAny", "id"), "stopped")
        listener.start(subscription("onAny", "id"), "goes on")
        listener.say(type="stop", id="stopped")
        assert listener.hear() == {"type": "complete", "id": "stopped"}

        refused = notes.ask('mutation { withdraw(id: "1") { id } }')
        assert refused["errors"][0]["errorType"] == "Kept"
        notes.ask('mutation { again: publish(id: "2", text: "") { id } }')
        notes.publish(id="3")

        heard = [listener.hear() for _ in range(2)]
    assert [(one["id"], one["payload"]["data"]["onAny"]["id"]) for one in heard] == [("goes on", "2"), ("goes on", "3")]


def test_who_is_gone_is_told_nothing_and_nobody_waits_for_it(notes: Notes) -> None:
    with listening(notes) as gone, listening(notes) as here:
        gone.start(subscription("onAny", "id"))
        here.start(subscription("onAny", "id"))
        gone._connection.close()
        assert "errors" not in notes.publish(id="1")
        assert here.hear()["payload"] == {"data": {"onAny": {"id": "1"}}}
