"""The second factor: set up, asked for, taken away.

Nobody has to have one. Who has one is asked for it after the password, before the session begins; so a session that
exists is one of somebody who has shown both.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp.oath import TOTP

from tenants.access import tenants_of
from tenants.models import User
from tenants.sealing import seal, unseal
from tenants.second_factor_models import Authenticator, RecoveryCode
from tenants.trail_models import trace

ISSUER = "CampOne"
PURPOSE = "tenants.second_factor:{}"
SECRET_BYTES = 20
STEPS_OFF = 1
"""How many steps of 30 seconds the clock of a phone may be off, either way."""
LONGEST_WAIT = timedelta(minutes=15)
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper."""


def authenticator_of(user: User) -> Authenticator | None:
    """The app a person has set up, or is setting up."""
    return Authenticator.objects.filter(user=user).first()


def has_second_factor(user: User) -> bool:
    """Whether a person is asked for more than the password."""
    return Authenticator.objects.filter(user=user, confirmed=True).exists()


def begin(user: User) -> None:
    """Give a person without second factor a secret for an app; it counts once it is confirmed. Again: another one."""
    sealed = seal(secrets.token_hex(SECRET_BYTES), purpose=PURPOSE.format(user.pk))
    Authenticator.objects.get_or_create(user=user, defaults={"sealed_secret": sealed})
    # In one statement: what is confirmed at this very moment stays as it is.
    Authenticator.objects.filter(user=user, confirmed=False).update(sealed_secret=sealed, last_step=-1)


def secret_of(device: Authenticator) -> bytes:
    """The secret that person and service share."""
    return bytes.fromhex(unseal(device.sealed_secret, purpose=PURPOSE.format(device.user_id)))


def address_of(device: Authenticator) -> str:
    """What the app reads from the QR code, with ``typed_secret()`` in it."""
    label = quote(f"{ISSUER}:{device.user.get_username()}")
    return f"otpauth://totp/{label}?{urlencode({'secret': typed_secret(device), 'issuer': ISSUER})}"


def typed_secret(device: Authenticator) -> str:
    """The secret for whoever cannot scan, in the letters that apps take."""
    return b32encode(secret_of(device)).decode()


def confirm(user: User, code: str, *, at: datetime) -> list[str]:
    """Switch the second factor on by the app's first code; the codes for paper, or none if that was wrong."""
    with transaction.atomic():
        device = _held(user)
        if device is None or device.confirmed or not _takes(device, code, at):
            return []
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        RecoveryCode.objects.filter(user=user).delete()
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        digests = [_digest(user, each, settings.SECRET_KEY) for each in codes]
        RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=digest) for digest in digests])
        _trace(user, "person.second_factor_set_up")
    return codes


def passes(user: User, code: str, *, at: datetime) -> bool:
    """Whether a code is the app's of this moment, or one on paper; either counts once."""
    with transaction.atomic():
        device = _held(user)
        return device is not None and device.confirmed and _takes(device, code, at)


def remove(user: User) -> None:
    """Ask for the password alone from now on."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        _trace(user, "person.second_factor_removed")


def _trace(user: User, deed: str) -> None:
    """At each of a person's campgrounds: it is the door to all of them."""
    for tenant in tenants_of(user):
        trace(tenant, deed, user.get_username())


def _held(user: User) -> Authenticator | None:
    """The row as it is by now; of two who type the same code at once, one comes first."""
    return Authenticator.objects.select_for_update().filter(user=user).first()


def _takes(device: Authenticator, code: str, at: datetime) -> bool:
    if device.closed_until is not None and device.closed_until > at:
        return False
    right = _is_of_the_app(device, code, at) or _is_on_paper(device, code)
    if right:
        device.wrong_codes, device.closed_until = 0, None
    else:
        device.closed_until = at + min(timedelta(seconds=2**device.wrong_codes), LONGEST_WAIT)
        device.wrong_codes = min(device.wrong_codes + 1, 20)
    device.save()
    return right


def _is_of_the_app(device: Authenticator, code: str, at: datetime) -> bool:
    digits = "".join(code.split())
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return False
    clock = TOTP(secret_of(device))
    clock.time = at.timestamp()
    if not clock.verify(int(digits), tolerance=STEPS_OFF, min_t=device.last_step + 1):
        return False
    device.last_step = clock.t()
    return True


def _is_on_paper(device: Authenticator, code: str) -> bool:
    typed = "".join(each for each in code.lower() if each in LETTERS)
    if not device.confirmed or len(typed) != 12:
        return False
    digests = [_digest(device.user, typed, secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return RecoveryCode.objects.filter(user=device.user_id, digest__in=digests).delete()[0] == 1


def _recovery_code() -> str:
    """Three groups of four: 59 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _digest(user: User, code: str, secret: str) -> str:
    plain = code.replace("-", "")
    return salted_hmac(PURPOSE.format(user.pk), plain, secret=secret, algorithm="sha256").hexdigest()
