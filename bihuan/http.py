"""The suite as a command sees it: token, calls through the gateway, long jobs followed."""

import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import orjson

if TYPE_CHECKING:
    import pyarrow as pa

ARROW_STREAM = "application/vnd.apache.arrow.stream"
PROBLEM = "application/problem+json"
RENEW_BEFORE_SECONDS = 30.0
POLL_SECONDS = 0.25
ROWS_AT_ONCE = 50_000
JOB_ENDS = frozenset({"completed", "failed"})

Json = dict[str, Any]


class Refused(Exception):
    """The suite gave no good answer; the message says which call, and why.

    `status` is the HTTP status, 0 if nobody answered; `code` the problem's own word.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Gateway:
    """The calls of one OAuth client.

    Args:
        url: such as http://127.0.0.1:8000.
        client_id: of the client the command acts as.
        client_secret: its secret.
        patience_seconds: how long to wait for an answer.
        transport: tests pass their own.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        patience_seconds: float = 120,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url
        limits = httpx.Timeout(10, read=patience_seconds, write=patience_seconds)
        self._http = httpx.Client(
            base_url=url, transport=transport or httpx.HTTPTransport(retries=2), timeout=limits
        )
        self._credentials = (client_id, client_secret)
        self._token = ""
        self._renew_at = 0.0

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def token(self, *, scope: str | None = None, customer: str | None = None) -> Json:
        """Ask for a token; the whole answer of the token endpoint."""
        wanted = {"scope": scope, "customer": customer}
        form = {"grant_type": "client_credentials"} | {k: v for k, v in wanted.items() if v}
        return self._send("POST", "/oauth/token", data=form, auth=self._credentials)

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        return self._call("GET", path, params=params or {})

    def get_open(self, path: str) -> Json:
        """Read what needs no token."""
        return self._send("GET", path)

    def post(
        self, path: str, json: Any = None, params: Mapping[str, str | int] | None = None
    ) -> Json:
        return self._call("POST", path, json=json, params=params or {})

    def put(self, path: str, json: Any, headers: Mapping[str, str] | None = None) -> Json:
        return self._call("PUT", path, json=json, headers=headers or {})

    def upload(self, path: str, table: "pa.Table", *, features_later: bool = False) -> str:
        """Hand a table to a bulk import; returns the id of the job that takes it in.

        With `features_later` it is a part of a load: its customers' features follow with those of
        the next import that is none.
        """
        headers = {"Content-Type": ARROW_STREAM, "Idempotency-Key": str(uuid4())}
        params = {"features": "later"} if features_later else {}
        body = _arrow_stream(table)
        return self._call("POST", path, content=body, headers=headers, params=params)["job_id"]

    def download(self, path: str, params: Mapping[str, str | int] | None = None) -> "pa.Table":
        """The whole table of an export."""
        import pyarrow as pa  # noqa: PLC0415  20 MB that the supervisor need not hold

        response = self._answer("GET", path, params=params or {}, headers=self._authorization())
        return pa.ipc.open_stream(response.content).read_all()

    def follow_job(
        self,
        job_id: str,
        progress: Callable[[int, int], None],
        features: Callable[[int, int], None] | None = None,
    ) -> Json:
        """Wait for a job's end, telling how many of its rows are done, then whose features are.

        Raises:
            Refused: if the job failed as a whole; rows it rejected are in its answer.
        """

        def tell(job: Json) -> None:
            progress(job["done"], job["rows"])
            is_waiting = job["done"] == job["rows"] and job["state"] not in JOB_ENDS
            if features is not None and is_waiting and job["run_id"]:
                run = self.get(f"/v1/features/rolls/{job['run_id']}")
                features(run["done"], run["total"])

        return self._follow(f"/v1/jobs/{job_id}", tell)

    def follow_scoring(self, run_id: str, progress: Callable[[int, int], None]) -> Json:
        """Wait for a scoring run's end, telling how many customers are done."""
        return self._follow(
            f"/v1/scoring-runs/{run_id}", lambda run: progress(run["done"], run["total"] or 0)
        )

    def rejects(self, job_id: str) -> Iterator[Json]:
        """The rows a job did not take: {row, id, reason}."""
        path = f"/v1/jobs/{job_id}/rejects"
        answer = self._answer("GET", path, headers=self._authorization())
        return (orjson.loads(line) for line in answer.content.splitlines() if line.strip())

    def _follow(self, path: str, tell: Callable[[Json], None]) -> Json:
        while True:
            state = self.get(path)
            tell(state)
            if state["state"] in JOB_ENDS:
                break
            time.sleep(POLL_SECONDS)
        if state["state"] == "failed":
            raise Refused(f"{path} failed: {state.get('error') or state}")
        return state

    def _call(self, method: str, path: str, **options: Any) -> Json:
        headers = self._authorization() | options.pop("headers", {})
        return self._send(method, path, headers=headers, **options)

    def _authorization(self) -> dict[str, str]:
        if time.monotonic() > self._renew_at:
            answer = self.token()
            self._token = answer["access_token"]
            self._renew_at = time.monotonic() + answer["expires_in"] - RENEW_BEFORE_SECONDS
        return {"Authorization": f"Bearer {self._token}"}

    def _send(self, method: str, path: str, **options: Any) -> Json:
        response = self._answer(method, path, **options)
        if response.status_code == HTTPStatus.NO_CONTENT or not response.content:
            return {}
        return response.json()

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Refused(f"{self.url} does not answer ({reason})") from None
        if response.is_error:
            raise _refusal(method, path, response)
        return response


def _arrow_stream(table: "pa.Table") -> Iterator[bytes]:
    """The table as a compressed stream, a part at a time."""
    import pyarrow as pa  # noqa: PLC0415  as above

    sink = BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            writer.write_batch(batch)
            yield _drained(sink)
    yield _drained(sink)


def _drained(sink: BytesIO) -> bytes:
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written


def _refusal(method: str, path: str, response: httpx.Response) -> Refused:
    status = response.status_code
    if not response.headers.get("content-type", "").startswith(PROBLEM):
        return Refused(f"{method} {path}: {status} {response.text[:200]}", status=status)
    problem = response.json()
    fields = "; ".join(f"{e['pointer']}: {e['detail']}" for e in problem.get("errors") or [])
    code, detail = problem.get("code", ""), problem.get("detail") or problem.get("title")
    text = f"{method} {path}: {status} {code}: {detail}" + (f" ({fields})" if fields else "")
    return Refused(text, status=status, code=code)
