"""Who owns a row: campgrounds, their people, and the base of everything that belongs to one of them."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models.manager import BaseManager, ManagerDescriptor
from django.utils.translation import gettext_lazy as _

RESERVED_SLUGS = frozenset({"admin", "api", "docs", "mail", "static", "status", "www"})


def validate_zone(value: str) -> None:
    """Refuse what the time zone database does not know."""
    if value not in available_timezones():
        raise ValidationError("Not a time zone: %(value)s", code="zone", params={"value": value})


def validate_slug_is_free(value: str) -> None:
    """Keep the host names that the service itself answers to."""
    if value in RESERVED_SLUGS:
        raise ValidationError("This name is reserved: %(value)s", code="reserved", params={"value": value})


class CampgroundManager(models.Manager["Tenant"]):
    """Campgrounds: what is listed, looped over and looked up. A rehearsal is not among them."""

    def get_queryset(self) -> models.QuerySet[Tenant]:
        return super().get_queryset().filter(pk__gt=0)


class RehearsalManager(models.Manager["Tenant"]):
    """The rehearsals, for whoever means them."""

    def get_queryset(self) -> models.QuerySet[Tenant]:
        return super().get_queryset().filter(pk__lt=0)


class Tenant(models.Model):
    """One campground, and the fence round its data; or the rehearsal of one, where its test keys sell.

    The rehearsal of campground 7 is the tenant -7 (``rehearsals``): the fence that keeps neighbours apart keeps test
    sales out of the books.
    """

    slug = models.CharField(
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z", "Lower-case letters, digits and inner hyphens."),
            validate_slug_is_free,
        ],
        help_text=_("The campground's host name is this, followed by the service's domain."),
    )
    name = models.CharField(max_length=120)
    zone = models.CharField(max_length=64, default="Europe/Zurich", validators=[validate_zone])
    cutoff_hour = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(12)],
        help_text=_("Until this hour of the night a sale counts for the day before."),
    )
    currency = models.CharField(
        max_length=3,
        default="CHF",
        validators=[RegexValidator(r"^[A-Z]{3}\Z", "Three capital letters, as in ISO 4217.")],
    )
    is_active = models.BooleanField(default=True, help_text=_("Switched off, nobody gets in: no till and no staff."))

    objects: ClassVar[CampgroundManager] = CampgroundManager()
    rehearsals: ClassVar[RehearsalManager] = RehearsalManager()

    class Meta:
        constraints: ClassVar = [
            # No slug that can be typed, and no host name, has a colon.
            models.CheckConstraint(
                condition=models.Q(id__gt=0) | models.Q(id__lt=0, slug__startswith="test:"),
                name="tenant_rehearses_below_zero",
            ),
            models.CheckConstraint(condition=models.Q(cutoff_hour__lte=12), name="tenant_cutoff_hour_at_most_noon"),
            models.CheckConstraint(condition=~models.Q(slug=""), name="tenant_slug_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing here counts: test keys sell here."""
        return self.pk < 0

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone in which this campground's days begin and end."""
        return ZoneInfo(self.zone)


class User(AbstractUser):
    """A person who signs in; what they may do is said by their memberships."""


class Role(models.TextChoices):
    """What a person is at a campground."""

    TENANT_ADMIN = "tenant_admin", _("Tenant admin")
    STAFF = "staff", _("Staff")


class Membership(models.Model):
    """A person's role at one campground."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.STAFF)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once_per_tenant"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.tenant}: {self.get_role_display()}"


M = TypeVar("M", bound=models.Model)


class Unfenced(Exception):
    """A question that does not say whose rows it is about."""


class TenantOwnedManager(models.Manager[M]):
    """Rows of one campground: every question of the application begins with ``of()``.

    Whatever else is asked of ``Model.objects`` is refused (``Gate``). Django itself goes past it, by
    ``_default_manager``: for forms, for unique keys, for the rows that belong to another row.
    """

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        super().contribute_to_class(cls, name)
        setattr(cls, name, Gate(self))

    def of(self, tenant: Tenant | models.OuterRef) -> models.QuerySet[M]:
        """The rows that belong to ``tenant``, or to that of an outer query's row, and no others."""
        return self.get_queryset().filter(tenant=tenant)

    def of_either(self, tenant: Tenant) -> models.QuerySet[M]:
        """The rows of a campground and those of its rehearsal, for the few pages that know both."""
        return self.get_queryset().filter(tenant__in=(tenant.pk, -tenant.pk))

    def across_tenants(self) -> models.QuerySet[M]:
        """All campgrounds' rows, for the few deeds that concern them all; a test names every one of them."""
        return self.get_queryset()


class Gate(ManagerDescriptor):
    """``Model.objects``, as the application sees it."""

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        return Narrowed(super().__get__(instance, cls))


class Narrowed:
    """What may be asked of rows before it is said whose they are."""

    ALLOWED = frozenset({"of", "of_either", "across_tenants", "create", "bulk_create", "none", "model"})

    def __init__(self, manager: BaseManager[Any]) -> None:
        self.manager = manager

    def __getattr__(self, name: str) -> Any:
        if name in self.ALLOWED:
            return getattr(self.manager, name)
        raise Unfenced(f"{self.manager.model.__name__}.objects.{name}: say whose rows, with of() or across_tenants().")


class TenantOwned(models.Model):
    """Base of every row inside a campground's fence; ``tenant`` comes first in its unique keys and indexes."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[TenantOwnedManager[Self]] = TenantOwnedManager()

    class Meta:
        abstract = True


# Further models of this room, where Django looks for them.
import tenants.second_factor_models  # noqa: E402
import tenants.trail_models  # noqa: E402, F401
