"""What the contract says of each rpc: who may call it, what the cache may do. Read from the descriptors at start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chappe.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor

from core.domain.access import Role

_LARGEST_REFRESH_SHARE = 0.1
_LARGEST_REFRESH_SECONDS = 5.0


class PolicyError(Exception):
    """Says which rpc lacks a policy, or has one that makes no sense; the server does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Allows a reply to be kept: for how long, and of which collections it is made."""

    ttl_seconds: int
    final_ttl_seconds: int
    collections: tuple[str, ...]
    is_of_campaign: bool

    @property
    def refresh_seconds(self) -> float:
        """How long before its end a reply that many ask for is made anew."""
        return min(self.ttl_seconds * _LARGEST_REFRESH_SHARE, _LARGEST_REFRESH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Names the collections an rpc changes, and whether its request names the one campaign that changes."""

    collections: tuple[str, ...]
    is_of_campaign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Holds what the contract says of one rpc; ``role`` is None where nobody needs a key."""

    role: Role | None
    kept: Kept | None = None
    changed: Changed | None = None


# The gRPC project's own services carry no options of ours.
OPEN = Policy(role=None)
FOREIGN: Mapping[str, Policy] = MappingProxyType(
    {
        "grpc.health.v1.Health": OPEN,
        "grpc.reflection.v1alpha.ServerReflection": Policy(role=Role.VIEWER),
        "grpc.reflection.v1.ServerReflection": Policy(role=Role.VIEWER),
        "grpc.channelz.v1.Channelz": Policy(role=Role.ADMIN),
    }
)


def read_policies(services: Iterable[ServiceDescriptor]) -> Mapping[str, Policy]:
    """Returns the policy of every method by its path, `/package.Service/Method`; raises PolicyError."""
    return MappingProxyType(
        {
            f"/{service.full_name}/{method.name}": _policy(service, method)
            for service in services
            for method in service.methods
        }
    )


def _policy(service: ServiceDescriptor, method: MethodDescriptor) -> Policy:
    if service.full_name in FOREIGN:
        return FOREIGN[service.full_name]
    options = method.GetOptions()
    if not options.HasExtension(options_pb2.policy):
        raise PolicyError(f"{method.full_name} has no policy.")
    stated = options.Extensions[options_pb2.policy]
    if stated.role == options_pb2.ROLE_UNSPECIFIED:
        raise PolicyError(f"The policy of {method.full_name} names no role.")
    role = Role[options_pb2.Role.Name(stated.role).removeprefix("ROLE_")]
    match stated.WhichOneof("access"):
        case "cached":
            return Policy(role=role, kept=_kept(stated.cached, method))
        case "write":
            return Policy(role=role, changed=_changed(stated.write, method))
        case "uncached":
            return Policy(role=role)
        case _:
            raise PolicyError(f"The policy of {method.full_name} says neither read nor write.")


def _kept(cached: options_pb2.CachedRead, method: MethodDescriptor) -> Kept:
    if method.client_streaming or method.server_streaming:
        raise PolicyError(f"{method.full_name} streams; its reply cannot be kept.")
    if cached.ttl_seconds < 1 or cached.final_ttl_seconds < 0:
        raise PolicyError(f"{method.full_name} keeps its reply for less than a second.")
    if cached.campaign_field:
        _check_field(cached.campaign_field, method)
    return Kept(
        ttl_seconds=cached.ttl_seconds,
        final_ttl_seconds=cached.final_ttl_seconds,
        collections=_collections(cached.collections, method, least=0 if cached.campaign_field else 1),
        is_of_campaign=bool(cached.campaign_field),
    )


def _changed(write: options_pb2.Write, method: MethodDescriptor) -> Changed:
    if write.campaign_field:
        _check_field(write.campaign_field, method)
    return Changed(
        collections=_collections(write.collections, method, least=1), is_of_campaign=bool(write.campaign_field)
    )


def _collections(
    stated: Iterable[options_pb2.Collection.ValueType], method: MethodDescriptor, *, least: int
) -> tuple[str, ...]:
    names = [options_pb2.Collection.Name(collection).removeprefix("COLLECTION_").lower() for collection in stated]
    if len(names) < least or "unspecified" in names:
        raise PolicyError(f"The policy of {method.full_name} names no collection.")
    return tuple(names)


def _check_field(path: str, method: MethodDescriptor) -> None:
    message: Descriptor | None = method.input_type
    for part in path.split("."):
        field = message.fields_by_name.get(part) if message else None
        if field is None:
            raise PolicyError(f"The request of {method.full_name} has no field {path}.")
        message = field.message_type
