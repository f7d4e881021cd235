import pytest, base64, orjson
from tests.segment.conftest import *
from tests.segment.bank import *
pytestmark = pytest.mark.anyio
async def test_x(bank: Bank) -> None:
    def show(a): print(a.status_code, a.text[:200])
    base={"key":"k1","zh":"a","en":"b","rule":"age > 1"}
    for change in [{"zh":"a\0b"},{"rule":"acquisition_source = 'a\0'"},{"rule":"\0"},{"family":"\0"},{"key":"a\n"}]:
        show(await bank.http.post("/v1/segments",json={**base,**change},headers=OPERATOR))
    show(await bank.http.post("/v1/segments",content=b'{"key":"k1","zh":"\\ud800","en":"b","rule":"age > 1"}',headers={**OPERATOR,"content-type":"application/json"}))
    show(await bank.http.post("/v1/segments",content=b'{"key":"k1","zh":"a","en":"b","rule":"age > 1 -- \\ud800"}',headers={**OPERATOR,"content-type":"application/json"}))
    for key in ([5],[None],["\0"],[{"a":1}],["\ud83d"]):
        cur=base64.urlsafe_b64encode(__import__("json").dumps(key).encode()).decode().rstrip("=")
        show(await bank.get("/v1/segments",params={"after":cur}))
        show(await bank.get("/v1/segments/all/members",params={"after":cur}))
    show(await bank.get("/v1/segments/all/members",params={"as_of":"0001-01-01T00:00:00+14:00"}))
    show(await bank.get("/v1/segments/all/members",params={"as_of":"9999-12-31T23:59:59-14:00"}))
    show(await bank.get("/v1/memberships/export",params={"as_of":"0001-01-01T00:00:00+14:00"}))
    show(await bank.http.put("/v1/attributes/foo",json={"type":"enum","values":["\0"],"zh":"a","en":"b"},headers={**OPERATOR,"If-None-Match":"*"}))
    rfm=(await bank.get("/v1/rfm")).json(); rfm.pop("version"); rfm["fixed"]["m"]["cuts"]=[1e300,1e200,1e100,1]
    show(await bank.http.put("/v1/rfm",json=rfm,headers={**OPERATOR,"If-Match":"*"}))
    rfm["segments"][0]["key"]="\0"; rfm["fixed"]["m"]["cuts"]=[4,3,2,1]
    show(await bank.http.put("/v1/rfm",json=rfm,headers={**OPERATOR,"If-Match":"*"}))
    rfm["segments"][0]["key"]="x y'; z"
    show(await bank.http.put("/v1/rfm",json=rfm,headers={**OPERATOR,"If-Match":"*"}))
    rfm["segments"][0]["key"]="key_value"; rfm["fixed"]["m"]["cuts"]=[4.00000009,4,-2,-1e-9]
    show(await bank.http.put("/v1/rfm",json=rfm,headers={**OPERATOR,"If-Match":"*"}))
    await bank.settle()
