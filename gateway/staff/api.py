"""Staff and roles."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from gateway.directory import Changing
from gateway.staff import repository, service
from gateway.staff.domain import Role, Staff
from gateway.staff.schemas import RoleRead, RolesRead, StaffPut, StaffRead
from shared.app import Session
from shared.auth import requires
from shared.clock import real_now
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["staff"], dependencies=[requires("clients:admin")])

StaffId = Annotated[str, Path(description="The bank's number for this person")]


def _roles(request: Request) -> dict[str, Role]:
    return request.app.state.roles


Roles = Annotated[dict[str, Role], Depends(_roles)]


@router.get("/staff", response_model=Page[StaffRead])
async def list_staff(session: Session, after: After = None, limit: Limit = 50) -> Page[Staff]:
    """List staff by their numbers."""
    (start,) = decode_cursor(after, text) or ("",)
    found = await repository.list_after(session, start, limit=limit + 1)
    return page_of(found, limit, lambda each: (each.staff_id,))


@router.get("/staff/{staff_id}", response_model=StaffRead, responses=problem_responses(404))
async def get_staff(staff_id: StaffId, session: Session) -> Staff:
    """Read one person's roles and place."""
    return await repository.get(session, staff_id)


@router.put("/staff/{staff_id}", response_model=StaffRead)
async def put_staff(staff_id: StaffId, wanted: StaffPut, session: Changing, roles: Roles) -> Staff:
    """Add a person, or replace their roles and place; holds from the next request on."""
    return await service.put(session, wanted.to_domain(staff_id), roles, now=real_now())


@router.get("/roles")
async def list_roles(roles: Roles) -> RolesRead:
    """List the roles: what each may do, and whose customers it sees."""
    return RolesRead(
        items=[
            RoleRead(
                key=role.key,
                label_zh=role.label_zh,
                label_en=role.label_en,
                sees=role.sees,
                scopes=sorted(role.scopes),
            )
            for role in roles.values()
        ]
    )
