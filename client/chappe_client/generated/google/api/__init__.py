__all__ = ('CustomHttpPattern', 'Http', 'HttpBody', 'HttpRule')
from dataclasses import dataclass
import betterproto2
from ...message_pool import default_message_pool
_COMPILER_VERSION = '0.10.1'
betterproto2.check_compiler_version(_COMPILER_VERSION)

@dataclass(eq=False, repr=False)
class CustomHttpPattern(betterproto2.Message):
    kind: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    path: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
default_message_pool.register_message('google.api', 'CustomHttpPattern', CustomHttpPattern)

@dataclass(eq=False, repr=False)
class Http(betterproto2.Message):
    rules: 'list[HttpRule]' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)
    fully_decode_reserved_expansion: 'bool' = betterproto2.field(2, betterproto2.TYPE_BOOL)
default_message_pool.register_message('google.api', 'Http', Http)

@dataclass(eq=False, repr=False)
class HttpBody(betterproto2.Message):
    content_type: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    data: 'bytes' = betterproto2.field(2, betterproto2.TYPE_BYTES)
    extensions: 'list[_protobuf__.Any]' = betterproto2.field(3, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.api', 'HttpBody', HttpBody)

@dataclass(eq=False, repr=False)
class HttpRule(betterproto2.Message):
    selector: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    get: 'str | None' = betterproto2.field(2, betterproto2.TYPE_STRING, optional=True, group='pattern')
    put: 'str | None' = betterproto2.field(3, betterproto2.TYPE_STRING, optional=True, group='pattern')
    post: 'str | None' = betterproto2.field(4, betterproto2.TYPE_STRING, optional=True, group='pattern')
    delete: 'str | None' = betterproto2.field(5, betterproto2.TYPE_STRING, optional=True, group='pattern')
    patch: 'str | None' = betterproto2.field(6, betterproto2.TYPE_STRING, optional=True, group='pattern')
    custom: 'CustomHttpPattern | None' = betterproto2.field(8, betterproto2.TYPE_MESSAGE, optional=True, group='pattern')
    body: 'str' = betterproto2.field(7, betterproto2.TYPE_STRING)
    response_body: 'str' = betterproto2.field(12, betterproto2.TYPE_STRING)
    additional_bindings: 'list[HttpRule]' = betterproto2.field(11, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.api', 'HttpRule', HttpRule)
from .. import protobuf as _protobuf__
