__all__ = ('Any', 'DescriptorProto', 'DescriptorProtoExtensionRange', 'DescriptorProtoReservedRange', 'Duration', 'Edition', 'Empty', 'EnumDescriptorProto', 'EnumDescriptorProtoEnumReservedRange', 'EnumOptions', 'EnumValueDescriptorProto', 'EnumValueOptions', 'ExtensionRangeOptions', 'ExtensionRangeOptionsDeclaration', 'ExtensionRangeOptionsVerificationState', 'FeatureSet', 'FeatureSetDefaults', 'FeatureSetDefaultsFeatureSetEditionDefault', 'FeatureSetEnforceNamingStyle', 'FeatureSetEnumType', 'FeatureSetFieldPresence', 'FeatureSetJsonFormat', 'FeatureSetMessageEncoding', 'FeatureSetRepeatedFieldEncoding', 'FeatureSetUtf8Validation', 'FeatureSetVisibilityFeature', 'FeatureSetVisibilityFeatureDefaultSymbolVisibility', 'FieldDescriptorProto', 'FieldDescriptorProtoLabel', 'FieldDescriptorProtoType', 'FieldMask', 'FieldOptions', 'FieldOptionsCType', 'FieldOptionsEditionDefault', 'FieldOptionsFeatureSupport', 'FieldOptionsJsType', 'FieldOptionsOptionRetention', 'FieldOptionsOptionTargetType', 'FileDescriptorProto', 'FileDescriptorSet', 'FileOptions', 'FileOptionsOptimizeMode', 'GeneratedCodeInfo', 'GeneratedCodeInfoAnnotation', 'GeneratedCodeInfoAnnotationSemantic', 'ListValue', 'MessageOptions', 'MethodDescriptorProto', 'MethodOptions', 'MethodOptionsIdempotencyLevel', 'NullValue', 'OneofDescriptorProto', 'OneofOptions', 'ServiceDescriptorProto', 'ServiceOptions', 'SourceCodeInfo', 'SourceCodeInfoLocation', 'Struct', 'SymbolVisibility', 'Timestamp', 'UninterpretedOption', 'UninterpretedOptionNamePart', 'Value')
import datetime
import re
import typing
import warnings
from dataclasses import dataclass
import betterproto2
import dateutil.parser
from typing_extensions import Self
from ...message_pool import default_message_pool
_COMPILER_VERSION = '0.10.1'
betterproto2.check_compiler_version(_COMPILER_VERSION)

class Edition(betterproto2.Enum):
    UNKNOWN = 0
    LEGACY = 900
    PROTO2 = 998
    PROTO3 = 999
    _2023 = 1000
    _2024 = 1001
    _2026 = 1002
    UNSTABLE = 9999
    _1_TEST_ONLY = 1
    _2_TEST_ONLY = 2
    _99997_TEST_ONLY = 99997
    _99998_TEST_ONLY = 99998
    _99999_TEST_ONLY = 99999
    MAX = 2147483647

    @classmethod
    def betterproto_value_to_renamed_proto_names(cls) -> dict[int, str]:
        return {0: 'EDITION_UNKNOWN', 900: 'EDITION_LEGACY', 998: 'EDITION_PROTO2', 999: 'EDITION_PROTO3', 1000: 'EDITION_2023', 1001: 'EDITION_2024', 1002: 'EDITION_2026', 9999: 'EDITION_UNSTABLE', 1: 'EDITION_1_TEST_ONLY', 2: 'EDITION_2_TEST_ONLY', 99997: 'EDITION_99997_TEST_ONLY', 99998: 'EDITION_99998_TEST_ONLY', 99999: 'EDITION_99999_TEST_ONLY', 2147483647: 'EDITION_MAX'}

    @classmethod
    def betterproto_renamed_proto_names_to_value(cls) -> dict[str, int]:
        return {'EDITION_UNKNOWN': 0, 'EDITION_LEGACY': 900, 'EDITION_PROTO2': 998, 'EDITION_PROTO3': 999, 'EDITION_2023': 1000, 'EDITION_2024': 1001, 'EDITION_2026': 1002, 'EDITION_UNSTABLE': 9999, 'EDITION_1_TEST_ONLY': 1, 'EDITION_2_TEST_ONLY': 2, 'EDITION_99997_TEST_ONLY': 99997, 'EDITION_99998_TEST_ONLY': 99998, 'EDITION_99999_TEST_ONLY': 99999, 'EDITION_MAX': 2147483647}

class ExtensionRangeOptionsVerificationState(betterproto2.Enum):
    DECLARATION = 0
    UNVERIFIED = 1

class FeatureSetEnforceNamingStyle(betterproto2.Enum):
    ENFORCE_NAMING_STYLE_UNKNOWN = 0
    STYLE2024 = 1
    STYLE_LEGACY = 2
    STYLE2026 = 3

class FeatureSetEnumType(betterproto2.Enum):
    ENUM_TYPE_UNKNOWN = 0
    OPEN = 1
    CLOSED = 2

class FeatureSetFieldPresence(betterproto2.Enum):
    FIELD_PRESENCE_UNKNOWN = 0
    EXPLICIT = 1
    IMPLICIT = 2
    LEGACY_REQUIRED = 3

class FeatureSetJsonFormat(betterproto2.Enum):
    JSON_FORMAT_UNKNOWN = 0
    ALLOW = 1
    LEGACY_BEST_EFFORT = 2

class FeatureSetMessageEncoding(betterproto2.Enum):
    MESSAGE_ENCODING_UNKNOWN = 0
    LENGTH_PREFIXED = 1
    DELIMITED = 2

class FeatureSetRepeatedFieldEncoding(betterproto2.Enum):
    REPEATED_FIELD_ENCODING_UNKNOWN = 0
    PACKED = 1
    EXPANDED = 2

class FeatureSetUtf8Validation(betterproto2.Enum):
    UTF8_VALIDATION_UNKNOWN = 0
    VERIFY = 2
    NONE = 3

class FeatureSetVisibilityFeatureDefaultSymbolVisibility(betterproto2.Enum):
    DEFAULT_SYMBOL_VISIBILITY_UNKNOWN = 0
    EXPORT_ALL = 1
    EXPORT_TOP_LEVEL = 2
    LOCAL_ALL = 3
    STRICT = 4

class FieldDescriptorProtoLabel(betterproto2.Enum):
    OPTIONAL = 1
    REPEATED = 3
    REQUIRED = 2

    @classmethod
    def betterproto_value_to_renamed_proto_names(cls) -> dict[int, str]:
        return {1: 'LABEL_OPTIONAL', 3: 'LABEL_REPEATED', 2: 'LABEL_REQUIRED'}

    @classmethod
    def betterproto_renamed_proto_names_to_value(cls) -> dict[str, int]:
        return {'LABEL_OPTIONAL': 1, 'LABEL_REPEATED': 3, 'LABEL_REQUIRED': 2}

class FieldDescriptorProtoType(betterproto2.Enum):
    DOUBLE = 1
    FLOAT = 2
    INT64 = 3
    UINT64 = 4
    INT32 = 5
    FIXED64 = 6
    FIXED32 = 7
    BOOL = 8
    STRING = 9
    GROUP = 10
    MESSAGE = 11
    BYTES = 12
    UINT32 = 13
    ENUM = 14
    SFIXED32 = 15
    SFIXED64 = 16
    SINT32 = 17
    SINT64 = 18

    @classmethod
    def betterproto_value_to_renamed_proto_names(cls) -> dict[int, str]:
        return {1: 'TYPE_DOUBLE', 2: 'TYPE_FLOAT', 3: 'TYPE_INT64', 4: 'TYPE_UINT64', 5: 'TYPE_INT32', 6: 'TYPE_FIXED64', 7: 'TYPE_FIXED32', 8: 'TYPE_BOOL', 9: 'TYPE_STRING', 10: 'TYPE_GROUP', 11: 'TYPE_MESSAGE', 12: 'TYPE_BYTES', 13: 'TYPE_UINT32', 14: 'TYPE_ENUM', 15: 'TYPE_SFIXED32', 16: 'TYPE_SFIXED64', 17: 'TYPE_SINT32', 18: 'TYPE_SINT64'}

    @classmethod
    def betterproto_renamed_proto_names_to_value(cls) -> dict[str, int]:
        return {'TYPE_DOUBLE': 1, 'TYPE_FLOAT': 2, 'TYPE_INT64': 3, 'TYPE_UINT64': 4, 'TYPE_INT32': 5, 'TYPE_FIXED64': 6, 'TYPE_FIXED32': 7, 'TYPE_BOOL': 8, 'TYPE_STRING': 9, 'TYPE_GROUP': 10, 'TYPE_MESSAGE': 11, 'TYPE_BYTES': 12, 'TYPE_UINT32': 13, 'TYPE_ENUM': 14, 'TYPE_SFIXED32': 15, 'TYPE_SFIXED64': 16, 'TYPE_SINT32': 17, 'TYPE_SINT64': 18}

class FieldOptionsCType(betterproto2.Enum):
    STRING = 0
    CORD = 1
    STRING_PIECE = 2

class FieldOptionsJsType(betterproto2.Enum):
    JS_NORMAL = 0
    JS_STRING = 1
    JS_NUMBER = 2

class FieldOptionsOptionRetention(betterproto2.Enum):
    RETENTION_UNKNOWN = 0
    RETENTION_RUNTIME = 1
    RETENTION_SOURCE = 2

class FieldOptionsOptionTargetType(betterproto2.Enum):
    TARGET_TYPE_UNKNOWN = 0
    TARGET_TYPE_FILE = 1
    TARGET_TYPE_EXTENSION_RANGE = 2
    TARGET_TYPE_MESSAGE = 3
    TARGET_TYPE_FIELD = 4
    TARGET_TYPE_ONEOF = 5
    TARGET_TYPE_ENUM = 6
    TARGET_TYPE_ENUM_ENTRY = 7
    TARGET_TYPE_SERVICE = 8
    TARGET_TYPE_METHOD = 9

class FileOptionsOptimizeMode(betterproto2.Enum):
    SPEED = 1
    CODE_SIZE = 2
    LITE_RUNTIME = 3

class GeneratedCodeInfoAnnotationSemantic(betterproto2.Enum):
    NONE = 0
    SET = 1
    ALIAS = 2

class MethodOptionsIdempotencyLevel(betterproto2.Enum):
    IDEMPOTENCY_UNKNOWN = 0
    NO_SIDE_EFFECTS = 1
    IDEMPOTENT = 2

class NullValue(betterproto2.Enum):
    NULL_VALUE = 0

class SymbolVisibility(betterproto2.Enum):
    VISIBILITY_UNSET = 0
    VISIBILITY_LOCAL = 1
    VISIBILITY_EXPORT = 2

@dataclass(eq=False, repr=False)
class Any(betterproto2.Message):
    type_url: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    value: 'bytes' = betterproto2.field(2, betterproto2.TYPE_BYTES)

    @classmethod
    def pack(cls, message: betterproto2.Message, message_pool: 'betterproto2.MessagePool | None'=None) -> 'Any':
        message_pool = message_pool or default_message_pool
        type_url = message_pool.type_to_url[type(message)]
        value = bytes(message)
        return cls(type_url=type_url, value=value)

    def unpack(self, message_pool: 'betterproto2.MessagePool | None'=None) -> betterproto2.Message | None:
        if not self.type_url:
            return None
        message_pool = message_pool or default_message_pool
        try:
            message_type = message_pool.url_to_type[self.type_url]
        except KeyError:
            raise TypeError(f"Can't unpack unregistered type: {self.type_url}")
        return message_type.parse(self.value)

    def to_dict(self, **kwargs) -> dict[str, typing.Any]:
        output: dict[str, typing.Any] = {'@type': self.type_url}
        value = self.unpack()
        if value is None:
            return output
        if type(value).to_dict == betterproto2.Message.to_dict:
            output.update(value.to_dict(**kwargs))
        else:
            output['value'] = value.to_dict(**kwargs)
        return output

    @classmethod
    def from_dict(cls, value, *, ignore_unknown_fields: bool=False) -> Self:
        value = dict(value)
        type_url = value.pop('@type', None)
        msg_cls = default_message_pool.url_to_type.get(type_url, None)
        if not msg_cls:
            raise TypeError(f"Can't unpack unregistered type: {type_url}")
        if not msg_cls.to_dict == betterproto2.Message.to_dict:
            value = value['value']
        return cls(type_url=type_url, value=bytes(msg_cls.from_dict(value, ignore_unknown_fields=ignore_unknown_fields)))
default_message_pool.register_message('google.protobuf', 'Any', Any)

@dataclass(eq=False, repr=False)
class DescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    field: 'list[FieldDescriptorProto]' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, repeated=True)
    extension: 'list[FieldDescriptorProto]' = betterproto2.field(6, betterproto2.TYPE_MESSAGE, repeated=True)
    nested_type: 'list[DescriptorProto]' = betterproto2.field(3, betterproto2.TYPE_MESSAGE, repeated=True)
    enum_type: 'list[EnumDescriptorProto]' = betterproto2.field(4, betterproto2.TYPE_MESSAGE, repeated=True)
    extension_range: 'list[DescriptorProtoExtensionRange]' = betterproto2.field(5, betterproto2.TYPE_MESSAGE, repeated=True)
    oneof_decl: 'list[OneofDescriptorProto]' = betterproto2.field(8, betterproto2.TYPE_MESSAGE, repeated=True)
    options: 'MessageOptions | None' = betterproto2.field(7, betterproto2.TYPE_MESSAGE, optional=True)
    reserved_range: 'list[DescriptorProtoReservedRange]' = betterproto2.field(9, betterproto2.TYPE_MESSAGE, repeated=True)
    reserved_name: 'list[str]' = betterproto2.field(10, betterproto2.TYPE_STRING, repeated=True)
    visibility: 'SymbolVisibility' = betterproto2.field(11, betterproto2.TYPE_ENUM, default_factory=lambda: SymbolVisibility(0))
default_message_pool.register_message('google.protobuf', 'DescriptorProto', DescriptorProto)

@dataclass(eq=False, repr=False)
class DescriptorProtoExtensionRange(betterproto2.Message):
    start: 'int' = betterproto2.field(1, betterproto2.TYPE_INT32)
    end: 'int' = betterproto2.field(2, betterproto2.TYPE_INT32)
    options: 'ExtensionRangeOptions | None' = betterproto2.field(3, betterproto2.TYPE_MESSAGE, optional=True)
default_message_pool.register_message('google.protobuf', 'DescriptorProto.ExtensionRange', DescriptorProtoExtensionRange)

@dataclass(eq=False, repr=False)
class DescriptorProtoReservedRange(betterproto2.Message):
    start: 'int' = betterproto2.field(1, betterproto2.TYPE_INT32)
    end: 'int' = betterproto2.field(2, betterproto2.TYPE_INT32)
default_message_pool.register_message('google.protobuf', 'DescriptorProto.ReservedRange', DescriptorProtoReservedRange)

@dataclass(eq=False, repr=False)
class Duration(betterproto2.Message):
    seconds: 'int' = betterproto2.field(1, betterproto2.TYPE_INT64)
    nanos: 'int' = betterproto2.field(2, betterproto2.TYPE_INT32)

    @classmethod
    def from_timedelta(cls, delta: datetime.timedelta, *, _1_microsecond: datetime.timedelta=datetime.timedelta(microseconds=1)) -> 'Duration':
        total_ms = delta // _1_microsecond
        seconds = int(total_ms / 1000000.0)
        nanos = int(total_ms % 1000000.0 * 1000.0)
        return cls(seconds, nanos)

    def to_timedelta(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self.seconds, microseconds=self.nanos / 1000.0)

    @staticmethod
    def delta_to_json(delta: datetime.timedelta) -> str:
        parts = str(delta.total_seconds()).split('.')
        if len(parts) > 1:
            while len(parts[1]) not in (3, 6, 9):
                parts[1] = f'{parts[1]}0'
        return f"{'.'.join(parts)}s"

    @classmethod
    def from_dict(cls, value, *, ignore_unknown_fields: bool=False) -> Self:
        if isinstance(value, str):
            if not re.match('^\\d+(\\.\\d+)?s$', value):
                raise ValueError(f'Invalid duration string: {value}')
            seconds = float(value[:-1])
            return cls(seconds=int(seconds), nanos=int((seconds - int(seconds)) * 1000000000.0))
        return super().from_dict(value, ignore_unknown_fields=ignore_unknown_fields)

    def to_dict(self, *, output_format: betterproto2.OutputFormat=betterproto2.OutputFormat.PROTO_JSON, casing: betterproto2.Casing=betterproto2.Casing.CAMEL, include_default_values: bool=False) -> dict[str, typing.Any] | typing.Any:
        assert output_format == betterproto2.OutputFormat.PROTO_JSON
        assert 0 <= self.nanos < 1000000000.0
        if self.nanos == 0:
            return f'{self.seconds}s'
        nanos = f'{self.nanos:09d}'.rstrip('0')
        if len(nanos) < 3:
            nanos += '0' * (3 - len(nanos))
        return f'{self.seconds}.{nanos}s'

    @staticmethod
    def from_wrapped(wrapped: datetime.timedelta) -> 'Duration':
        return Duration.from_timedelta(wrapped)

    def to_wrapped(self) -> datetime.timedelta:
        return self.to_timedelta()
default_message_pool.register_message('google.protobuf', 'Duration', Duration)

@dataclass(eq=False, repr=False)
class Empty(betterproto2.Message):
    pass
default_message_pool.register_message('google.protobuf', 'Empty', Empty)

@dataclass(eq=False, repr=False)
class EnumDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    value: 'list[EnumValueDescriptorProto]' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, repeated=True)
    options: 'EnumOptions | None' = betterproto2.field(3, betterproto2.TYPE_MESSAGE, optional=True)
    reserved_range: 'list[EnumDescriptorProtoEnumReservedRange]' = betterproto2.field(4, betterproto2.TYPE_MESSAGE, repeated=True)
    reserved_name: 'list[str]' = betterproto2.field(5, betterproto2.TYPE_STRING, repeated=True)
    visibility: 'SymbolVisibility' = betterproto2.field(6, betterproto2.TYPE_ENUM, default_factory=lambda: SymbolVisibility(0))
default_message_pool.register_message('google.protobuf', 'EnumDescriptorProto', EnumDescriptorProto)

@dataclass(eq=False, repr=False)
class EnumDescriptorProtoEnumReservedRange(betterproto2.Message):
    start: 'int' = betterproto2.field(1, betterproto2.TYPE_INT32)
    end: 'int' = betterproto2.field(2, betterproto2.TYPE_INT32)
default_message_pool.register_message('google.protobuf', 'EnumDescriptorProto.EnumReservedRange', EnumDescriptorProtoEnumReservedRange)

@dataclass(eq=False, repr=False)
class EnumOptions(betterproto2.Message):
    allow_alias: 'bool' = betterproto2.field(2, betterproto2.TYPE_BOOL)
    deprecated: 'bool' = betterproto2.field(3, betterproto2.TYPE_BOOL)
    deprecated_legacy_json_field_conflicts: 'bool' = betterproto2.field(6, betterproto2.TYPE_BOOL)
    features: 'FeatureSet | None' = betterproto2.field(7, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.is_set('deprecated_legacy_json_field_conflicts'):
            warnings.warn('EnumOptions.deprecated_legacy_json_field_conflicts is deprecated', DeprecationWarning)
default_message_pool.register_message('google.protobuf', 'EnumOptions', EnumOptions)

@dataclass(eq=False, repr=False)
class EnumValueDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    number: 'int' = betterproto2.field(2, betterproto2.TYPE_INT32)
    options: 'EnumValueOptions | None' = betterproto2.field(3, betterproto2.TYPE_MESSAGE, optional=True)
default_message_pool.register_message('google.protobuf', 'EnumValueDescriptorProto', EnumValueDescriptorProto)

@dataclass(eq=False, repr=False)
class EnumValueOptions(betterproto2.Message):
    deprecated: 'bool' = betterproto2.field(1, betterproto2.TYPE_BOOL)
    features: 'FeatureSet | None' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, optional=True)
    debug_redact: 'bool' = betterproto2.field(3, betterproto2.TYPE_BOOL)
    feature_support: 'FieldOptionsFeatureSupport | None' = betterproto2.field(4, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'EnumValueOptions', EnumValueOptions)

@dataclass(eq=False, repr=False)
class ExtensionRangeOptions(betterproto2.Message):
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)
    declaration: 'list[ExtensionRangeOptionsDeclaration]' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, repeated=True)
    features: 'FeatureSet | None' = betterproto2.field(50, betterproto2.TYPE_MESSAGE, optional=True)
    verification: 'ExtensionRangeOptionsVerificationState' = betterproto2.field(3, betterproto2.TYPE_ENUM, default_factory=lambda: ExtensionRangeOptionsVerificationState(0))
default_message_pool.register_message('google.protobuf', 'ExtensionRangeOptions', ExtensionRangeOptions)

@dataclass(eq=False, repr=False)
class ExtensionRangeOptionsDeclaration(betterproto2.Message):
    number: 'int' = betterproto2.field(1, betterproto2.TYPE_INT32)
    full_name: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
    type: 'str' = betterproto2.field(3, betterproto2.TYPE_STRING)
    reserved: 'bool' = betterproto2.field(5, betterproto2.TYPE_BOOL)
    repeated: 'bool' = betterproto2.field(6, betterproto2.TYPE_BOOL)
default_message_pool.register_message('google.protobuf', 'ExtensionRangeOptions.Declaration', ExtensionRangeOptionsDeclaration)

@dataclass(eq=False, repr=False)
class FeatureSet(betterproto2.Message):
    field_presence: 'FeatureSetFieldPresence' = betterproto2.field(1, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetFieldPresence(0))
    enum_type: 'FeatureSetEnumType' = betterproto2.field(2, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetEnumType(0))
    repeated_field_encoding: 'FeatureSetRepeatedFieldEncoding' = betterproto2.field(3, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetRepeatedFieldEncoding(0))
    utf8_validation: 'FeatureSetUtf8Validation' = betterproto2.field(4, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetUtf8Validation(0))
    message_encoding: 'FeatureSetMessageEncoding' = betterproto2.field(5, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetMessageEncoding(0))
    json_format: 'FeatureSetJsonFormat' = betterproto2.field(6, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetJsonFormat(0))
    enforce_naming_style: 'FeatureSetEnforceNamingStyle' = betterproto2.field(7, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetEnforceNamingStyle(0))
    default_symbol_visibility: 'FeatureSetVisibilityFeatureDefaultSymbolVisibility' = betterproto2.field(8, betterproto2.TYPE_ENUM, default_factory=lambda: FeatureSetVisibilityFeatureDefaultSymbolVisibility(0))
default_message_pool.register_message('google.protobuf', 'FeatureSet', FeatureSet)

@dataclass(eq=False, repr=False)
class FeatureSetVisibilityFeature(betterproto2.Message):
    pass
default_message_pool.register_message('google.protobuf', 'FeatureSet.VisibilityFeature', FeatureSetVisibilityFeature)

@dataclass(eq=False, repr=False)
class FeatureSetDefaults(betterproto2.Message):
    defaults: 'list[FeatureSetDefaultsFeatureSetEditionDefault]' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)
    minimum_edition: 'Edition' = betterproto2.field(4, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
    maximum_edition: 'Edition' = betterproto2.field(5, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
default_message_pool.register_message('google.protobuf', 'FeatureSetDefaults', FeatureSetDefaults)

@dataclass(eq=False, repr=False)
class FeatureSetDefaultsFeatureSetEditionDefault(betterproto2.Message):
    edition: 'Edition' = betterproto2.field(3, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
    overridable_features: 'FeatureSet | None' = betterproto2.field(4, betterproto2.TYPE_MESSAGE, optional=True)
    fixed_features: 'FeatureSet | None' = betterproto2.field(5, betterproto2.TYPE_MESSAGE, optional=True)
default_message_pool.register_message('google.protobuf', 'FeatureSetDefaults.FeatureSetEditionDefault', FeatureSetDefaultsFeatureSetEditionDefault)

@dataclass(eq=False, repr=False)
class FieldDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    number: 'int' = betterproto2.field(3, betterproto2.TYPE_INT32)
    label: 'FieldDescriptorProtoLabel' = betterproto2.field(4, betterproto2.TYPE_ENUM, default_factory=lambda: FieldDescriptorProtoLabel(0))
    type: 'FieldDescriptorProtoType' = betterproto2.field(5, betterproto2.TYPE_ENUM, default_factory=lambda: FieldDescriptorProtoType(0))
    type_name: 'str' = betterproto2.field(6, betterproto2.TYPE_STRING)
    extendee: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
    default_value: 'str' = betterproto2.field(7, betterproto2.TYPE_STRING)
    oneof_index: 'int' = betterproto2.field(9, betterproto2.TYPE_INT32)
    json_name: 'str' = betterproto2.field(10, betterproto2.TYPE_STRING)
    options: 'FieldOptions | None' = betterproto2.field(8, betterproto2.TYPE_MESSAGE, optional=True)
    proto3_optional: 'bool' = betterproto2.field(17, betterproto2.TYPE_BOOL)
default_message_pool.register_message('google.protobuf', 'FieldDescriptorProto', FieldDescriptorProto)

@dataclass(eq=False, repr=False)
class FieldMask(betterproto2.Message):
    paths: 'list[str]' = betterproto2.field(1, betterproto2.TYPE_STRING, repeated=True)
default_message_pool.register_message('google.protobuf', 'FieldMask', FieldMask)

@dataclass(eq=False, repr=False)
class FieldOptions(betterproto2.Message):
    ctype: 'FieldOptionsCType' = betterproto2.field(1, betterproto2.TYPE_ENUM, default_factory=lambda: FieldOptionsCType(0))
    packed: 'bool' = betterproto2.field(2, betterproto2.TYPE_BOOL)
    jstype: 'FieldOptionsJsType' = betterproto2.field(6, betterproto2.TYPE_ENUM, default_factory=lambda: FieldOptionsJsType(0))
    lazy: 'bool' = betterproto2.field(5, betterproto2.TYPE_BOOL)
    unverified_lazy: 'bool' = betterproto2.field(15, betterproto2.TYPE_BOOL)
    deprecated: 'bool' = betterproto2.field(3, betterproto2.TYPE_BOOL)
    weak: 'bool' = betterproto2.field(10, betterproto2.TYPE_BOOL)
    debug_redact: 'bool' = betterproto2.field(16, betterproto2.TYPE_BOOL)
    retention: 'FieldOptionsOptionRetention' = betterproto2.field(17, betterproto2.TYPE_ENUM, default_factory=lambda: FieldOptionsOptionRetention(0))
    targets: 'list[FieldOptionsOptionTargetType]' = betterproto2.field(19, betterproto2.TYPE_ENUM, repeated=True)
    edition_defaults: 'list[FieldOptionsEditionDefault]' = betterproto2.field(20, betterproto2.TYPE_MESSAGE, repeated=True)
    features: 'FeatureSet | None' = betterproto2.field(21, betterproto2.TYPE_MESSAGE, optional=True)
    feature_support: 'FieldOptionsFeatureSupport | None' = betterproto2.field(22, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.is_set('weak'):
            warnings.warn('FieldOptions.weak is deprecated', DeprecationWarning)
default_message_pool.register_message('google.protobuf', 'FieldOptions', FieldOptions)

@dataclass(eq=False, repr=False)
class FieldOptionsEditionDefault(betterproto2.Message):
    edition: 'Edition' = betterproto2.field(3, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
    value: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
default_message_pool.register_message('google.protobuf', 'FieldOptions.EditionDefault', FieldOptionsEditionDefault)

@dataclass(eq=False, repr=False)
class FieldOptionsFeatureSupport(betterproto2.Message):
    edition_introduced: 'Edition' = betterproto2.field(1, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
    edition_deprecated: 'Edition' = betterproto2.field(2, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
    deprecation_warning: 'str' = betterproto2.field(3, betterproto2.TYPE_STRING)
    edition_removed: 'Edition' = betterproto2.field(4, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
    removal_error: 'str' = betterproto2.field(5, betterproto2.TYPE_STRING)
default_message_pool.register_message('google.protobuf', 'FieldOptions.FeatureSupport', FieldOptionsFeatureSupport)

@dataclass(eq=False, repr=False)
class FileDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    package: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
    dependency: 'list[str]' = betterproto2.field(3, betterproto2.TYPE_STRING, repeated=True)
    public_dependency: 'list[int]' = betterproto2.field(10, betterproto2.TYPE_INT32, repeated=True)
    weak_dependency: 'list[int]' = betterproto2.field(11, betterproto2.TYPE_INT32, repeated=True)
    option_dependency: 'list[str]' = betterproto2.field(15, betterproto2.TYPE_STRING, repeated=True)
    message_type: 'list[DescriptorProto]' = betterproto2.field(4, betterproto2.TYPE_MESSAGE, repeated=True)
    enum_type: 'list[EnumDescriptorProto]' = betterproto2.field(5, betterproto2.TYPE_MESSAGE, repeated=True)
    service: 'list[ServiceDescriptorProto]' = betterproto2.field(6, betterproto2.TYPE_MESSAGE, repeated=True)
    extension: 'list[FieldDescriptorProto]' = betterproto2.field(7, betterproto2.TYPE_MESSAGE, repeated=True)
    options: 'FileOptions | None' = betterproto2.field(8, betterproto2.TYPE_MESSAGE, optional=True)
    source_code_info: 'SourceCodeInfo | None' = betterproto2.field(9, betterproto2.TYPE_MESSAGE, optional=True)
    syntax: 'str' = betterproto2.field(12, betterproto2.TYPE_STRING)
    edition: 'Edition' = betterproto2.field(14, betterproto2.TYPE_ENUM, default_factory=lambda: Edition(0))
default_message_pool.register_message('google.protobuf', 'FileDescriptorProto', FileDescriptorProto)

@dataclass(eq=False, repr=False)
class FileDescriptorSet(betterproto2.Message):
    file: 'list[FileDescriptorProto]' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'FileDescriptorSet', FileDescriptorSet)

@dataclass(eq=False, repr=False)
class FileOptions(betterproto2.Message):
    java_package: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    java_outer_classname: 'str' = betterproto2.field(8, betterproto2.TYPE_STRING)
    java_multiple_files: 'bool' = betterproto2.field(10, betterproto2.TYPE_BOOL)
    java_generate_equals_and_hash: 'bool' = betterproto2.field(20, betterproto2.TYPE_BOOL)
    java_string_check_utf8: 'bool' = betterproto2.field(27, betterproto2.TYPE_BOOL)
    optimize_for: 'FileOptionsOptimizeMode' = betterproto2.field(9, betterproto2.TYPE_ENUM, default_factory=lambda: FileOptionsOptimizeMode(0))
    go_package: 'str' = betterproto2.field(11, betterproto2.TYPE_STRING)
    cc_generic_services: 'bool' = betterproto2.field(16, betterproto2.TYPE_BOOL)
    java_generic_services: 'bool' = betterproto2.field(17, betterproto2.TYPE_BOOL)
    py_generic_services: 'bool' = betterproto2.field(18, betterproto2.TYPE_BOOL)
    deprecated: 'bool' = betterproto2.field(23, betterproto2.TYPE_BOOL)
    cc_enable_arenas: 'bool' = betterproto2.field(31, betterproto2.TYPE_BOOL)
    objc_class_prefix: 'str' = betterproto2.field(36, betterproto2.TYPE_STRING)
    csharp_namespace: 'str' = betterproto2.field(37, betterproto2.TYPE_STRING)
    swift_prefix: 'str' = betterproto2.field(39, betterproto2.TYPE_STRING)
    php_class_prefix: 'str' = betterproto2.field(40, betterproto2.TYPE_STRING)
    php_namespace: 'str' = betterproto2.field(41, betterproto2.TYPE_STRING)
    php_metadata_namespace: 'str' = betterproto2.field(44, betterproto2.TYPE_STRING)
    ruby_package: 'str' = betterproto2.field(45, betterproto2.TYPE_STRING)
    features: 'FeatureSet | None' = betterproto2.field(50, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.is_set('java_generate_equals_and_hash'):
            warnings.warn('FileOptions.java_generate_equals_and_hash is deprecated', DeprecationWarning)
default_message_pool.register_message('google.protobuf', 'FileOptions', FileOptions)

@dataclass(eq=False, repr=False)
class GeneratedCodeInfo(betterproto2.Message):
    annotation: 'list[GeneratedCodeInfoAnnotation]' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'GeneratedCodeInfo', GeneratedCodeInfo)

@dataclass(eq=False, repr=False)
class GeneratedCodeInfoAnnotation(betterproto2.Message):
    path: 'list[int]' = betterproto2.field(1, betterproto2.TYPE_INT32, repeated=True)
    source_file: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
    begin: 'int' = betterproto2.field(3, betterproto2.TYPE_INT32)
    end: 'int' = betterproto2.field(4, betterproto2.TYPE_INT32)
    semantic: 'GeneratedCodeInfoAnnotationSemantic' = betterproto2.field(5, betterproto2.TYPE_ENUM, default_factory=lambda: GeneratedCodeInfoAnnotationSemantic(0))
default_message_pool.register_message('google.protobuf', 'GeneratedCodeInfo.Annotation', GeneratedCodeInfoAnnotation)

@dataclass(eq=False, repr=False)
class ListValue(betterproto2.Message):
    values: 'list[Value]' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)

    @classmethod
    def from_dict(cls, value, *, ignore_unknown_fields: bool=False) -> Self:
        return cls(values=[Value.from_dict(v) for v in value])

    def to_dict(self, *, output_format: betterproto2.OutputFormat=betterproto2.OutputFormat.PROTO_JSON, casing: betterproto2.Casing=betterproto2.Casing.CAMEL, include_default_values: bool=False) -> dict[str, typing.Any] | typing.Any:
        assert output_format == betterproto2.OutputFormat.PROTO_JSON
        return [value.to_dict() for value in self.values]
default_message_pool.register_message('google.protobuf', 'ListValue', ListValue)

@dataclass(eq=False, repr=False)
class MessageOptions(betterproto2.Message):
    message_set_wire_format: 'bool' = betterproto2.field(1, betterproto2.TYPE_BOOL)
    no_standard_descriptor_accessor: 'bool' = betterproto2.field(2, betterproto2.TYPE_BOOL)
    deprecated: 'bool' = betterproto2.field(3, betterproto2.TYPE_BOOL)
    map_entry: 'bool' = betterproto2.field(7, betterproto2.TYPE_BOOL)
    deprecated_legacy_json_field_conflicts: 'bool' = betterproto2.field(11, betterproto2.TYPE_BOOL)
    features: 'FeatureSet | None' = betterproto2.field(12, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.is_set('deprecated_legacy_json_field_conflicts'):
            warnings.warn('MessageOptions.deprecated_legacy_json_field_conflicts is deprecated', DeprecationWarning)
default_message_pool.register_message('google.protobuf', 'MessageOptions', MessageOptions)

@dataclass(eq=False, repr=False)
class MethodDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    input_type: 'str' = betterproto2.field(2, betterproto2.TYPE_STRING)
    output_type: 'str' = betterproto2.field(3, betterproto2.TYPE_STRING)
    options: 'MethodOptions | None' = betterproto2.field(4, betterproto2.TYPE_MESSAGE, optional=True)
    client_streaming: 'bool' = betterproto2.field(5, betterproto2.TYPE_BOOL)
    server_streaming: 'bool' = betterproto2.field(6, betterproto2.TYPE_BOOL)
default_message_pool.register_message('google.protobuf', 'MethodDescriptorProto', MethodDescriptorProto)

@dataclass(eq=False, repr=False)
class MethodOptions(betterproto2.Message):
    deprecated: 'bool' = betterproto2.field(33, betterproto2.TYPE_BOOL)
    idempotency_level: 'MethodOptionsIdempotencyLevel' = betterproto2.field(34, betterproto2.TYPE_ENUM, default_factory=lambda: MethodOptionsIdempotencyLevel(0))
    features: 'FeatureSet | None' = betterproto2.field(35, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'MethodOptions', MethodOptions)

@dataclass(eq=False, repr=False)
class OneofDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    options: 'OneofOptions | None' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, optional=True)
default_message_pool.register_message('google.protobuf', 'OneofDescriptorProto', OneofDescriptorProto)

@dataclass(eq=False, repr=False)
class OneofOptions(betterproto2.Message):
    features: 'FeatureSet | None' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, optional=True)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'OneofOptions', OneofOptions)

@dataclass(eq=False, repr=False)
class ServiceDescriptorProto(betterproto2.Message):
    name: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    method: 'list[MethodDescriptorProto]' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, repeated=True)
    options: 'ServiceOptions | None' = betterproto2.field(3, betterproto2.TYPE_MESSAGE, optional=True)
default_message_pool.register_message('google.protobuf', 'ServiceDescriptorProto', ServiceDescriptorProto)

@dataclass(eq=False, repr=False)
class ServiceOptions(betterproto2.Message):
    features: 'FeatureSet | None' = betterproto2.field(34, betterproto2.TYPE_MESSAGE, optional=True)
    deprecated: 'bool' = betterproto2.field(33, betterproto2.TYPE_BOOL)
    uninterpreted_option: 'list[UninterpretedOption]' = betterproto2.field(999, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'ServiceOptions', ServiceOptions)

@dataclass(eq=False, repr=False)
class SourceCodeInfo(betterproto2.Message):
    location: 'list[SourceCodeInfoLocation]' = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)
default_message_pool.register_message('google.protobuf', 'SourceCodeInfo', SourceCodeInfo)

@dataclass(eq=False, repr=False)
class SourceCodeInfoLocation(betterproto2.Message):
    path: 'list[int]' = betterproto2.field(1, betterproto2.TYPE_INT32, repeated=True)
    span: 'list[int]' = betterproto2.field(2, betterproto2.TYPE_INT32, repeated=True)
    leading_comments: 'str' = betterproto2.field(3, betterproto2.TYPE_STRING)
    trailing_comments: 'str' = betterproto2.field(4, betterproto2.TYPE_STRING)
    leading_detached_comments: 'list[str]' = betterproto2.field(6, betterproto2.TYPE_STRING, repeated=True)
default_message_pool.register_message('google.protobuf', 'SourceCodeInfo.Location', SourceCodeInfoLocation)

@dataclass(eq=False, repr=False)
class Struct(betterproto2.Message):
    fields: 'dict[str, Value]' = betterproto2.field(1, betterproto2.TYPE_MAP, map_meta=betterproto2.map_meta(betterproto2.TYPE_STRING, betterproto2.TYPE_MESSAGE))

    @classmethod
    def from_dict(cls, value, *, ignore_unknown_fields: bool=False) -> Self:
        assert isinstance(value, dict)
        fields: dict[str, Value] = {}
        for key, val in value.items():
            fields[key] = Value.from_dict(val)
        return cls(fields=fields)

    def to_dict(self, *, output_format: betterproto2.OutputFormat=betterproto2.OutputFormat.PROTO_JSON, casing: betterproto2.Casing=betterproto2.Casing.CAMEL, include_default_values: bool=False) -> dict[str, typing.Any] | typing.Any:
        assert output_format == betterproto2.OutputFormat.PROTO_JSON
        return {key: value.to_dict(output_format=output_format, casing=casing, include_default_values=include_default_values) for key, value in self.fields.items()}
default_message_pool.register_message('google.protobuf', 'Struct', Struct)

@dataclass(eq=False, repr=False)
class Timestamp(betterproto2.Message):
    seconds: 'int' = betterproto2.field(1, betterproto2.TYPE_INT64)
    nanos: 'int' = betterproto2.field(2, betterproto2.TYPE_INT32)

    @classmethod
    def from_datetime(cls, dt: datetime.datetime) -> Self:
        if not dt.tzinfo:
            raise ValueError('datetime must be timezone aware')
        dt = dt.astimezone(datetime.timezone.utc)
        offset = dt - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        offset_us = (offset.days * 24 * 60 * 60 + offset.seconds) * 10 ** 6 + offset.microseconds
        seconds, us = divmod(offset_us, 10 ** 6)
        return cls(seconds, us * 1000)

    def to_datetime(self) -> datetime.datetime:
        offset = datetime.timedelta(seconds=self.seconds, microseconds=self.nanos // 1000)
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + offset

    @staticmethod
    def timestamp_to_json(dt: datetime.datetime) -> str:
        nanos = dt.microsecond * 1000.0
        if dt.tzinfo is not None:
            dt = dt.astimezone(datetime.timezone.utc)
        copy = dt.replace(microsecond=0, tzinfo=None)
        result = copy.isoformat()
        if nanos % 1000000000.0 == 0:
            return f'{result}Z'
        if nanos % 1000000.0 == 0:
            return f'{result}.{int(nanos // 1000000.0):03d}Z'
        if nanos % 1000.0 == 0:
            return f'{result}.{int(nanos // 1000.0):06d}Z'
        return f'{result}.{nanos:09d}'

    @classmethod
    def from_dict(cls, value, *, ignore_unknown_fields: bool=False) -> Self:
        if isinstance(value, str):
            dt = dateutil.parser.isoparse(value)
            dt = dt.astimezone(datetime.timezone.utc)
            return cls.from_datetime(dt)
        return super().from_dict(value, ignore_unknown_fields=ignore_unknown_fields)

    def to_dict(self, *, output_format: betterproto2.OutputFormat=betterproto2.OutputFormat.PROTO_JSON, casing: betterproto2.Casing=betterproto2.Casing.CAMEL, include_default_values: bool=False) -> dict[str, typing.Any] | typing.Any:
        assert output_format == betterproto2.OutputFormat.PROTO_JSON
        return Timestamp.timestamp_to_json(self.to_datetime())

    @staticmethod
    def from_wrapped(wrapped: datetime.datetime) -> 'Timestamp':
        return Timestamp.from_datetime(wrapped)

    def to_wrapped(self) -> datetime.datetime:
        return self.to_datetime()
default_message_pool.register_message('google.protobuf', 'Timestamp', Timestamp)

@dataclass(eq=False, repr=False)
class UninterpretedOption(betterproto2.Message):
    name: 'list[UninterpretedOptionNamePart]' = betterproto2.field(2, betterproto2.TYPE_MESSAGE, repeated=True)
    identifier_value: 'str' = betterproto2.field(3, betterproto2.TYPE_STRING)
    positive_int_value: 'int' = betterproto2.field(4, betterproto2.TYPE_UINT64)
    negative_int_value: 'int' = betterproto2.field(5, betterproto2.TYPE_INT64)
    double_value: 'float' = betterproto2.field(6, betterproto2.TYPE_DOUBLE)
    string_value: 'bytes' = betterproto2.field(7, betterproto2.TYPE_BYTES)
    aggregate_value: 'str' = betterproto2.field(8, betterproto2.TYPE_STRING)
default_message_pool.register_message('google.protobuf', 'UninterpretedOption', UninterpretedOption)

@dataclass(eq=False, repr=False)
class UninterpretedOptionNamePart(betterproto2.Message):
    name_part: 'str' = betterproto2.field(1, betterproto2.TYPE_STRING)
    is_extension: 'bool' = betterproto2.field(2, betterproto2.TYPE_BOOL)
default_message_pool.register_message('google.protobuf', 'UninterpretedOption.NamePart', UninterpretedOptionNamePart)

@dataclass(eq=False, repr=False)
class Value(betterproto2.Message):
    null_value: 'NullValue | None' = betterproto2.field(1, betterproto2.TYPE_ENUM, optional=True, group='kind')
    number_value: 'float | None' = betterproto2.field(2, betterproto2.TYPE_DOUBLE, optional=True, group='kind')
    string_value: 'str | None' = betterproto2.field(3, betterproto2.TYPE_STRING, optional=True, group='kind')
    bool_value: 'bool | None' = betterproto2.field(4, betterproto2.TYPE_BOOL, optional=True, group='kind')
    struct_value: 'Struct | None' = betterproto2.field(5, betterproto2.TYPE_MESSAGE, optional=True, group='kind')
    list_value: 'ListValue | None' = betterproto2.field(6, betterproto2.TYPE_MESSAGE, optional=True, group='kind')

    @classmethod
    def from_dict(cls, value, *, ignore_unknown_fields: bool=False) -> Self:
        match value:
            case bool() as b:
                return cls(bool_value=b)
            case int() | float() as num:
                return cls(number_value=num)
            case str() as s:
                return cls(string_value=s)
            case list() as l:
                return cls(list_value=ListValue.from_dict(l))
            case dict() as d:
                return cls(struct_value=Struct.from_dict(d))
            case None:
                return cls(null_value=NullValue.NULL_VALUE)
        raise ValueError(f'Unknown value type: {type(value)}')

    def to_dict(self, *, output_format: betterproto2.OutputFormat=betterproto2.OutputFormat.PROTO_JSON, casing: betterproto2.Casing=betterproto2.Casing.CAMEL, include_default_values: bool=False) -> dict[str, typing.Any] | typing.Any:
        assert output_format == betterproto2.OutputFormat.PROTO_JSON
        match self:
            case Value(null_value=NullValue.NULL_VALUE):
                return None
            case Value(bool_value=bool(b)):
                return b
            case Value(number_value=int(num)) | Value(number_value=float(num)):
                return num
            case Value(string_value=str(s)):
                return s
            case Value(list_value=ListValue(values=l)):
                return [v.to_dict() for v in l]
            case Value(struct_value=Struct(fields=f)):
                return {k: v.to_dict() for k, v in f.items()}
        raise ValueError('Invalid value')
default_message_pool.register_message('google.protobuf', 'Value', Value)
