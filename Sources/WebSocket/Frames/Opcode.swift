/// The opcodes of RFC 6455 section 5.2, and the two kinds of message they carry.
package enum Opcode: UInt8, BitwiseCopyable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    package var isControl: Bool { rawValue & 0x8 != 0 }
}

package enum MessageKind: UInt8, BitwiseCopyable {
    case text = 1
    case binary = 2

    package var opcode: Opcode {
        switch self {
        case .text: .text
        case .binary: .binary
        }
    }
}

/// Which end of the connection this is: clients mask what they send and servers do not (RFC 6455 section 5.1).
package enum Role {
    case client
    case server

    /// Who is at the other end, for messages.
    package var peerName: StaticString {
        switch self {
        case .client: "the server"
        case .server: "the client"
        }
    }
}
