import CHeartwire

/// Every status of the C interface, with its name. The one table behind `hw_status_name`.
enum Status {
    static let names: [(value: hw_status, name: StaticString)] = [
        (hw_status(HW_OK), "HW_OK"),
        (hw_status(HW_E_ARGUMENT), "HW_E_ARGUMENT"),
        (hw_status(HW_E_HANDLE), "HW_E_HANDLE"),
        (hw_status(HW_E_FORKED), "HW_E_FORKED"),
        (hw_status(HW_E_RANGE), "HW_E_RANGE"),
        (hw_status(HW_E_BUFFER), "HW_E_BUFFER"),
        (hw_status(HW_E_STATE), "HW_E_STATE"),
        (hw_status(HW_E_TIMEOUT), "HW_E_TIMEOUT"),
        (hw_status(HW_E_IN_CALLBACK), "HW_E_IN_CALLBACK"),
        (hw_status(HW_E_SEND_FORBIDDEN), "HW_E_SEND_FORBIDDEN"),
        (hw_status(HW_E_NOT_CONNECTED), "HW_E_NOT_CONNECTED"),
        (hw_status(HW_E_FULL), "HW_E_FULL"),
        (hw_status(HW_E_TOO_LARGE), "HW_E_TOO_LARGE"),
        (hw_status(HW_E_PROPERTY), "HW_E_PROPERTY"),
        (hw_status(HW_E_VALUE), "HW_E_VALUE"),
        (hw_status(HW_E_CONFLICT), "HW_E_CONFLICT"),
        (hw_status(HW_E_URL), "HW_E_URL"),
        (hw_status(HW_E_HEADER), "HW_E_HEADER"),
        (hw_status(HW_E_RULE), "HW_E_RULE"),
        (hw_status(HW_E_PRESET), "HW_E_PRESET"),
        (hw_status(HW_E_STEP), "HW_E_STEP"),
        (hw_status(HW_E_RESOLVE), "HW_E_RESOLVE"),
        (hw_status(HW_E_CONNECT), "HW_E_CONNECT"),
        (hw_status(HW_E_CONNECT_TIMEOUT), "HW_E_CONNECT_TIMEOUT"),
        (hw_status(HW_E_CONNECTION_LOST), "HW_E_CONNECTION_LOST"),
        (hw_status(HW_E_PROXY), "HW_E_PROXY"),
        (hw_status(HW_E_BEFORE_CONNECT), "HW_E_BEFORE_CONNECT"),
        (hw_status(HW_E_TLS), "HW_E_TLS"),
        (hw_status(HW_E_CERTIFICATE), "HW_E_CERTIFICATE"),
        (hw_status(HW_E_TRUST_STORE), "HW_E_TRUST_STORE"),
        (hw_status(HW_E_HANDSHAKE), "HW_E_HANDSHAKE"),
        (hw_status(HW_E_HTTP_STATUS), "HW_E_HTTP_STATUS"),
        (hw_status(HW_E_SCRIPT), "HW_E_SCRIPT"),
        (hw_status(HW_E_PROTOCOL), "HW_E_PROTOCOL"),
        (hw_status(HW_E_UTF8), "HW_E_UTF8"),
        (hw_status(HW_E_MESSAGE_TOO_LARGE), "HW_E_MESSAGE_TOO_LARGE"),
        (hw_status(HW_E_CLOSED_BY_PEER), "HW_E_CLOSED_BY_PEER"),
        (hw_status(HW_E_HEARTBEAT), "HW_E_HEARTBEAT"),
        (hw_status(HW_E_SLOW_CONSUMER), "HW_E_SLOW_CONSUMER"),
        (hw_status(HW_E_SYSTEM), "HW_E_SYSTEM"),
    ]

    static func name(_ status: hw_status) -> StaticString {
        names.first { $0.value == status }?.name ?? "HW_E_UNKNOWN"
    }
}
