"""Is the WSDL all that a client needs? Asked with zeep, which knows the service from nothing else.

What is sent and what comes back is also held against the schema in the WSDL, by lxml (libxml2).
"""

import base64
import datetime
import pathlib
import re

import pytest
import requests
import zeep
from lxml import etree
from service import Service
from zeep.helpers import serialize_object
from zeep.plugins import HistoryPlugin
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

XSD = "{http://www.w3.org/2001/XMLSchema}"
NOBODY = "00000000-0000-7000-8000-000000000000"
VERSIONS = ["Soap11", "Soap12"]
# What a call may say that is of the right form, and cannot be done as things are. Anything else is a defect.
CANNOT = {"UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "UNPROCESSABLE_CONTENT", "SERVICE_UNAVAILABLE"}


class Soap:
    """A service, as its WSDL says it is."""

    def __init__(self, service: Service, version: str, token: str | None = None, wsse: UsernameToken | None = None):
        address = f"{service.url}/soap?wsdl"
        session = requests.Session()
        if token is not None:
            session.headers["authorization"] = f"Bearer {token}"
        self.history = HistoryPlugin(maxlen=1)
        self.client = zeep.Client(address, transport=Transport(session=session), plugins=[self.history], wsse=wsse)
        name = next(iter(self.client.wsdl.services))
        self.port = self.client.bind(name, name + version)
        document = etree.fromstring(requests.get(address, timeout=30).content)
        self.schema = document.find(f".//{XSD}schema")
        self.namespace = self.schema.get("targetNamespace")
        # Cut out, as a validator wants it.
        self.validator = etree.XMLSchema(etree.fromstring(etree.tostring(self.schema)))

    def operations(self) -> list[str]:
        return sorted(self.port._binding.all())

    def faults(self, operation: str) -> set[str]:
        return set(self.port._binding.get(operation).abstract.fault_messages)

    def call(self, operation: str, **fields):
        """Calls an operation. The message and its answer must be of the schema."""
        try:
            return serialize_object(self.port[operation](**fields), dict)
        finally:
            self.check(self.history.last_sent["envelope"])
            self.check(self.history.last_received["envelope"])

    def check(self, envelope) -> None:
        [body] = [part for part in envelope if etree.QName(part).localname == "Body"]
        fault = etree.QName(body[0]).localname == "Fault"
        detail = [part for part in body[0].iter() if etree.QName(part).localname in ("detail", "Detail")]
        for element in detail[0] if fault else [body[0]]:
            # By itself, as what it is in the schema.
            self.validator.assertValid(etree.fromstring(etree.tostring(element)))

    def refused(self, operation: str, **fields) -> dict:
        """The fault of a call that must not succeed: its code, and its failure's members."""
        with pytest.raises(zeep.exceptions.Fault) as raised:
            self.call(operation, **fields)
        told = {"message": raised.value.message, "fault": raised.value.code}
        for element in raised.value.detail:
            parsed = self.client.get_element(element.tag).parse(element, self.client.wsdl.types)
            name = etree.QName(element).localname
            told |= serialize_object(parsed, dict) if name == "fault" else {name: serialize_object(parsed, dict)}
        return told

    def sample(self, element):
        """A value that the schema accepts for an element, made of its type and facets. What may be left out is."""
        kind = element.get("type")
        if kind is not None and kind.startswith("tns:"):
            found = self.schema.xpath(f"*[@name='{kind[4:]}']")[0]
        else:
            found = next((child for child in element if etree.QName(child).localname.endswith("Type")), None)
        if found is None:
            return simple(element.get("name"), kind, {})
        if found.tag == f"{XSD}simpleType":
            restriction = found.find(f"{XSD}restriction")
            facets = {etree.QName(facet).localname: facet.get("value") for facet in reversed(restriction)}
            return simple(element.get("name"), restriction.get("base"), facets)
        members = found.findall(f"{XSD}sequence/{XSD}element") or found.findall(f"{XSD}choice/{XSD}element")[:1]
        return {
            member.get("name"): [self.sample(member)] if member.get("maxOccurs") else self.sample(member)
            for member in members
            if member.get("minOccurs") != "0"
        }

    def input(self, operation: str) -> dict:
        return self.sample(self.schema.xpath(f"*[local-name() = 'element' and @name='{operation}']")[0])


# Texts whose form the schema cannot say, by the element's name.
KNOWN = {"email": "someone@example.com", "password": "violet tractor 7281", "item": "posts:read"}


def simple(name: str, base: str, facets: dict):
    if "enumeration" in facets:
        return facets["enumeration"]
    match base.removeprefix("xsd:"):
        case "boolean":
            return True
        case "double":
            return 1.5
        case "base64Binary":
            return b"bytes"
        case "dateTime":
            return datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)
        case "string" if "pattern" in facets:
            known = [NOBODY, "12.50", KNOWN["email"]]
            return next(text for text in known if re.fullmatch(facets["pattern"], text))
        case "string":
            return KNOWN.get(name, "a text")
        case _:
            return max(1, int(facets.get("minInclusive", 1)))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_can_be_called_from_the_wsdl_alone(service: Service, version: str) -> None:
    soap = Soap(service, version, service.token())
    operations = soap.operations()
    assert len(operations) > 25
    for operation in operations:
        try:
            soap.call(operation, **soap.input(operation))
        except zeep.exceptions.Fault as fault:
            names = [etree.QName(element).localname for element in fault.detail]
            assert names[-1] == "fault" and set(names) <= soap.faults(operation), (operation, fault.message)
            code = fault.detail[-1].findtext(f"{{{soap.namespace}}}code")
            assert code in CANNOT, (operation, code, fault.message)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_of_the_second_service_as_well(conformance: Service, version: str) -> None:
    soap = Soap(conformance, version, "good")
    results = {}
    for operation in soap.operations():
        if operation == "flakyOnce":
            assert "flakyOnceTryAgain" in soap.refused(operation, key=version)
        if operation == "notesGet":
            assert soap.refused(operation, id="no such")["notesGetMissing"] == {"value": "no such"}
            continue
        fields = {"key": version} if operation == "flakyOnce" else soap.input(operation)
        results[operation] = soap.call(operation, **fields)
    assert results["flakyOnce"] == 2
    assert results["healthPing"] == "pong"
    assert results["meGet"] == "ada"


@pytest.mark.parametrize("version", VERSIONS)
def test_values_absence_and_failures_are_typed(service: Service, version: str) -> None:
    soap = Soap(service, version, service.token())
    email = f"{version}@example.com"
    ada = soap.call("usersCreate", email=email, name=" Ada & <b>\r\n🍰 ", age=36)
    assert (ada["age"], ada["name"], ada["role"], ada["createdAt"].tzinfo is not None) == (36, ada["name"], "guest", True)
    # Absent leaves the age as it is, and null takes it away.
    kept = soap.call("usersUpdate", id=ada["id"], name="Ada")
    assert (kept["age"], kept["name"]) == (36, "Ada")
    assert soap.call("usersUpdate", id=ada["id"], age=zeep.xsd.Nil)["age"] is None
    page = soap.call("usersList", limit=1)
    assert len(page["items"]["item"]) == 1
    missing = soap.refused("usersGet", id=NOBODY)
    assert (missing["code"], missing["usersGetMissing"]) == ("NOT_FOUND", {"value": NOBODY})
    taken = soap.refused("usersCreate", email=email, name="Eve")
    assert (taken["code"], taken["usersCreateEmailTaken"]) == ("CONFLICT", {"value": email})
    blame = {"Soap11": "soap:Client", "Soap12": "soap:Sender"}[version]
    assert missing["fault"] == blame and missing["requestId"]


def test_what_breaks_rules_is_told_field_by_field(service: Service) -> None:
    soap = Soap(service, "Soap12", service.token())
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {service.token()}"
    # zeep does not judge facets, and the validator of these tests would: this one goes by itself.
    client = zeep.Client(f"{service.url}/soap?wsdl", transport=Transport(session=session))
    with pytest.raises(zeep.exceptions.Fault) as raised:
        client.service.usersCreate(email="no address", name="")
    fault = raised.value.detail.find(f"{{{soap.namespace}}}fault")
    paths = [path.text for path in fault.iter(f"{{{soap.namespace}}}path")]
    assert fault.findtext(f"{{{soap.namespace}}}code") == "BAD_REQUEST" and "email" in paths


def test_who_is_not_signed_in_is_told_so(service: Service) -> None:
    assert Soap(service, "Soap11").refused("usersList")["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_username_token_signs_in_for_one_call(service: Service, version: str) -> None:
    email, password = f"token.{version.lower()}@example.com", "violet tractor 7281 & <co>"
    public = Soap(service, version)
    public.call("authRegister", email=email, name="Ada", password=password)
    [mail, *_] = requests.get(f"{service.url}/_local/mail", params={"to": email}, timeout=30).json()
    public.call("authVerifyEmail", token=re.search(r"#token=([\w-]+)", mail["text"])[1], password=password)
    ada = Soap(service, version, wsse=UsernameToken(email, password))
    assert ada.call("authMe")["email"] == email
    devices = ada.call("sessionsList")
    assert [device["current"] for device in devices["item"]] == [True], "each call leaves no session behind"

    wrong = Soap(service, version, wsse=UsernameToken(email, "another password"))
    refused = wrong.refused("authMe")
    assert refused["code"] == "UNAUTHORIZED"
    assert refused["fault"] == {"Soap11": "wsse:FailedAuthentication", "Soap12": "soap:Sender"}[version]
    digest = Soap(service, version, wsse=UsernameToken(email, password, use_digest=True))
    assert "hashed" in digest.refused("authMe")["message"]
    assert password not in service.log.read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_values_of_each_kind_come_back_as_they_went(conformance: Service, version: str) -> None:
    soap = Soap(conformance, version)
    time = datetime.datetime(2026, 1, 31, 12, 0, 0, 5000, tzinfo=datetime.timezone.utc)
    value = {
        "tiny": -128,
        "whole": -2147483648,
        "large": 9007199254740991,
        "exact": "-0012.50",
        "real": -1.5e300,
        "bytes": bytes(range(256)),
        "time": time,
        "volume": "-high",
        "text": " a&<b>\n\t]]> 🍰",
        "maybeTime": time,
        "maybeList": {"item": [1, None, -3]},
        "listOfLists": {"item": [{"item": [True, False]}, {"item": []}]},
        "byName": {"entry": [{"key": "", "value": "1"}, {"key": "a b", "value": None}]},
    }
    # In a list, zeep leaves out what is None, and not what is nil.
    sent = {**value, "maybeList": {"item": [1, zeep.xsd.Nil, -3]}}
    echo = soap.call("kindsEcho", **sent)
    # zeep knows the form of base64 and reads it.
    assert echo["bytes"] in (value["bytes"], base64.b64encode(value["bytes"]).decode())
    # What is empty, it reads as nothing.
    echo["listOfLists"]["item"][1] = echo["listOfLists"]["item"][1] or {"item": []}
    echo["byName"]["entry"][0]["key"] = echo["byName"]["entry"][0]["key"] or ""
    assert {**echo, "bytes": value["bytes"]} == value

    nothing = soap.call("kindsEcho", **{**sent, "text": zeep.xsd.Nil, "maybeTime": None, "maybeList": None})
    assert (nothing["text"], nothing["maybeTime"]) == (None, None)
    # zeep reads a list that is not there as an empty one, and so does not tell the two apart: the answer does.
    assert b'<maybeList xsi:nil="true"/>' in etree.tostring(soap.history.last_received["envelope"])
    soap.call("kindsEcho", **{**sent, "text": "", "listOfLists": {}, "byName": {}, "maybeList": {}})
    assert b"<maybeList/>" in etree.tostring(soap.history.last_received["envelope"])
    zero = soap.refused("kindsEcho", **{**sent, "tiny": 0})
    assert (zero["code"], zero["kindsEchoZero"]) == ("CONFLICT", {"value": None})
    gone = soap.refused("kindsEcho", **{**sent, "whole": 0})
    found = {"byName": {"entry": [{"key": "large", "value": value["large"]}]}, "foundAt": time}
    assert (gone["code"], gone["kindsEchoNothing"]) == ("PRECONDITION_FAILED", found)


@pytest.mark.parametrize("version", VERSIONS)
def test_tagged_unions_are_choices(conformance: Service, version: str) -> None:
    soap = Soap(conformance, version)
    shapes = [{"circle": {"radius": 1.5, "note": "o"}}, {"polygon": {"cornerCount": 3}}, {"empty": True}]
    drawn = soap.call("kindsDraw", shapes={"item": shapes})
    assert len(drawn) == 3
    assert drawn[0]["circle"] == {"note": "o", "radius": 1.5}
    assert drawn[1]["polygon"] == {"cornerCount": 3}
    assert drawn[2] == {"circle": None, "polygon": None, "empty": True}


@pytest.mark.parametrize("version", VERSIONS)
def test_absent_null_and_a_value_are_three_things(conformance: Service, version: str) -> None:
    soap = Soap(conformance, version)
    for fields, expected in [
        ({}, (False, None, False)),
        ({"number": zeep.xsd.Nil}, (True, None, False)),
        ({"number": 5, "text": "a"}, (True, 5, True)),
    ]:
        patched = soap.call("kindsPatch", **fields)
        assert (patched["hasNumber"], patched["number"], patched["hasText"]) == expected


# Texts of each simple type, by a member of that type: some are of it, and some are not.
TEXTS = {
    "large": "0 -0 +7 007 -7 9007199254740991 9007199254740992 10.0 1e1 1. + -- +-1 0x1 INF 1_0 99999999999999999999",
    "tiny": "1 127 128 -128 -129 +1 1.0",
    "real": "0 -0 +1 .5 5. -1.5e3 1E+2 007.50 INF -INF NaN inf nan infinity . e1 0x1p3 1,5 1f --1",
    "bytes": "QUI= QQ== QR== QUI QUI=QUI= Q*I=",
    # RFC 3339 has times that XML Schema has not, and they are taken as in every style: in small letters, for one.
    "time": "2026-01-31T12:00:00Z 2026-01-31T12:00:00.123+14:00 2026-01-31T12:00:00-05:30 2026-01-31T12:00:00 "
    "2026-01-31T12:00Z 2026-02-29T12:00:00Z 2026-01-31T24:00:00Z 2026-01-31",
    "volume": "low -high high LOW",
    "exact": "1 -1.50 1e5 +1 .5",
}
SPACED = {"large": "\n 7\t", "real": " 1.5 ", "bytes": " QU I= ", "time": " 2026-01-31T12:00:00Z\n", "volume": " low", "exact": " 1"}
BOOLEANS = "true false 1 0 TRUE yes 01 +1".split() + ["", " true "]


def test_texts_are_taken_that_are_of_the_published_type_and_no_others(conformance: Service) -> None:
    soap = Soap(conformance, "Soap12")
    members = {
        "tiny": "1", "whole": "1", "large": "1", "exact": "1", "real": "1", "bytes": "", "time": "2026-01-31T12:00:00Z",
        "volume": "low", "listOfLists": "", "byName": "",
    }

    def differs(name: str, content: str) -> bool:
        inner = "".join(f"<{key}>{content if key == name else text}</{key}>" for key, text in members.items())
        # In the order of the schema, which the validator wants.
        element = etree.fromstring(f'<kindsEcho xmlns="{soap.namespace}">{inner}</kindsEcho>')
        body = etree.tostring(element).decode()
        envelope = f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>{body}</e:Body></e:Envelope>'
        answer = requests.post(
            f"{conformance.url}/soap", envelope.encode(), headers={"content-type": "application/soap+xml"}, timeout=30
        )
        return soap.validator.validate(element) != (answer.status_code == 200)

    texts = [(name, text) for name, all in TEXTS.items() for text in [*all.split(), ""]] + list(SPACED.items())
    texts += [("listOfLists", f"<item><item>{text}</item></item>") for text in BOOLEANS]
    assert [text for text in texts if differs(*text)] == []


@pytest.mark.parametrize(("name", "is_well_formed"), [("well_formed", True), ("not_well_formed", False)])
def test_what_the_service_takes_for_xml_is_xml_for_libxml2(name: str, is_well_formed: bool):
    """The service is held against the same lists: `soap/strict.rs`."""
    lists = pathlib.Path(__file__).parents[2] / "shared/gateways/src/soap"
    documents = (lists / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]
    told = []
    for document in documents:
        try:
            etree.fromstring(document.encode(), etree.XMLParser(resolve_entities=False))
            told.append(True)
        except etree.XMLSyntaxError:
            told.append(False)
    assert told == [is_well_formed] * len(documents)
