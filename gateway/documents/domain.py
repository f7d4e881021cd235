"""One OpenAPI document out of five: component names get their service's prefix."""

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]

SECURITY_SCHEME = "bihuan"
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


def merge(documents: Mapping[str, Document], *, info: Mapping[str, str]) -> dict[str, Any]:
    """Merge the services' documents.

    Paths outside `/v1/` are kept for the gateway only. Components get the service's name as prefix,
    so that two services may each have a `Page`; the security scheme is one, with all scopes.

    Args:
        documents: by service, each valid on its own; paths must not overlap.
        info: title, version and description of the whole.
    """
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    for service, document in documents.items():
        prefixed = _rename(document, service)
        for path, item in prefixed.get("paths", {}).items():
            if path.startswith("/v1/") or service == "gateway":
                paths.setdefault(path, {}).update(_of_service(item, service))
        for kind, entries in prefixed.get("components", {}).items():
            if kind != "securitySchemes":
                components.setdefault(kind, {}).update(entries)
    components["securitySchemes"] = {SECURITY_SCHEME: _scheme(paths)}
    return {
        "openapi": "3.1.0",
        "info": dict(info),
        "paths": dict(sorted(paths.items())),
        "components": components,
        "tags": [{"name": service} for service in documents],
    }


def scopes_of(paths: Mapping[str, Any]) -> list[str]:
    """All scopes that any operation asks for."""
    return sorted(
        {
            scope
            for operation in _operations(paths)
            for requirement in operation.get("security", [])
            for scopes in requirement.values()
            for scope in scopes
        }
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in paths.values():
        yield from (item[method] for method in _METHODS if method in item)


def _scheme(paths: Mapping[str, Any]) -> dict[str, Any]:
    scopes = {scope: _meaning(scope) for scope in scopes_of(paths)}
    return {
        "type": "oauth2",
        "description": "OAuth 2.0 client credentials; access tokens are short-lived ES256 JWTs.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}},
    }


def _meaning(scope: str) -> str:
    resource, _, verb = scope.partition(":")
    return f"{verb} {resource}".strip().replace("_", " ")


def _of_service(item: Mapping[str, Any], service: str) -> dict[str, Any]:
    return {
        key: _named(value, service) if key in _METHODS else value for key, value in item.items()
    }


def _named(operation: Mapping[str, Any], service: str) -> dict[str, Any]:
    name = operation.get("operationId")
    named = {**operation, "tags": [service], "x-service": service}
    return named | ({"operationId": f"{service}_{name}"} if name else {})


def _rename(document: Document, service: str) -> dict[str, Any]:
    """Prefix component names and every reference to them."""
    prefix = service.capitalize()
    renamed = {
        f"#/components/{kind}/{name}": f"#/components/{kind}/{prefix}{name}"
        for kind, entries in document.get("components", {}).items()
        if kind != "securitySchemes"
        for name in entries
    }
    copied: dict[str, Any] = _copy(document, renamed)
    components = copied.get("components", {})
    for kind, entries in components.items():
        if kind != "securitySchemes":
            components[kind] = {f"{prefix}{name}": entry for name, entry in entries.items()}
    return copied


def _copy(value: Any, renamed: Mapping[str, str]) -> Any:
    """Copy a document; strings that are references to a component take its new name."""
    if isinstance(value, Mapping):
        return {key: _copy(each, renamed) for key, each in value.items()}
    if isinstance(value, list):
        return [_copy(each, renamed) for each in value]
    return renamed.get(value, value) if isinstance(value, str) else value
