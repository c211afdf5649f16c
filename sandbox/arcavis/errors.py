"""What the simulated Arcavis refuses, each with the HTTP status it is refused with."""


class ArcavisError(Exception):
    """A refusal: `status` on the wire and `message` in the envelope."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BusinessError(ArcavisError):
    """A rule of the shop was broken; the real API answers 200 with `IsSuccessful: false`."""

    status = 200


class BadRequestError(ArcavisError):
    """Not JSON, or a value that no leniency can read."""

    status = 400


class UnauthorizedError(ArcavisError):
    """Wrong user or password, or a user without the role Web-API."""

    status = 401


class NotLicensedError(ArcavisError):
    """The tenant has not licensed the module."""

    status = 403


class UnknownRecordError(ArcavisError):
    """No record with this id. Arcavis versions answer 404, or 200 with `IsSuccessful: false`."""

    status = 404
