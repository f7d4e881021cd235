import pytest
from tests.profile.conftest import Profile, cny, ago
pytestmark = pytest.mark.anyio
async def test_it(profile: Profile) -> None:
    await profile.customer("c1", name="张三", phone="138 0013 8000", birth_date="1980-05-05")
    print(await profile.ok("GET","/customers/c1"))
    print(await profile.ok("POST","/customers:search", json={"phone":"13800138000"}))
    r = await profile.call("POST","/events", json={"events":[{"event_id":"e1","customer_id":"c1","type":"transfer_in","occurred_at":ago(3),"account_id":"a-c1","amount":cny(1000),"balance_after":cny(1000)},{"event_id":"e1","customer_id":"c1","type":"transfer_in","occurred_at":ago(3),"amount":cny(1000)},{"event_id":"e2","customer_id":"cx","type":"transfer_in","occurred_at":ago(3)}]})
    print(r.status_code,r.text,r.headers)
    print(await profile.features("c1"))
    print(await profile.ok("PUT","/customers/c1/consents/marketing", json={"state":"granted","text_version":"1","evidence":"x"}))
    print(await profile.ok("GET","/customers/c1/consents"))
    print(await profile.ok("GET","/customers/c1/consents/history"))
    print(await profile.ok("PUT","/customers/c1/preferences", json={"personalization":False}))
    print(await profile.ok("PUT","/customers/c1/flags", json={"is_frozen":True}), await profile.ok("GET","/customers/c1/flags"))
    print(await profile.ok("POST","/customers/c1/assessments", json={"risk_class":3,"questionnaire_version":"1"}))
    print(await profile.ok("GET","/customers/c1/assessments"))
    print(await profile.ok("POST","/customers/c1/complaints", json={"category":"fees","complaint_id":"k1"}))
    print(await profile.ok("POST","/customers/c1/complaints/k1/close"))
    print(await profile.ok("GET","/customers/c1/complaints"))
    print(await profile.ok("GET","/customers/c1/holdings"))
    print(await profile.ok("GET","/customers/c1/accounts"))
    print(await profile.ok("GET","/customers/c1/timeline?limit=1"))
    print(await profile.ok("GET","/event-types"))
    print(await profile.ok("POST","/features/rolls", json={}))
    await profile.work()
    import pyarrow as pa
    for p in ("customers:export","accounts:export","holdings:export","events:export","balances:export","features/export?columns=aum,age,has_fund,top_channel"):
        r=await profile.call("GET","/"+p); assert r.status_code==200, r.text
        t=pa.ipc.open_stream(r.content).read_all(); print(p,t.to_pylist())
    r=await profile.call("GET","/feeds/profile/snapshot"); print(r.text[:3000])
    for n in ("consent_changed","flags_changed","ownership_changed","assessment_recorded","complaint_opened","complaint_closed","features_run_completed"): print(n, await profile.feed(n))
    assert 0
