import CHeartwire
import WebSocket

/// Conversions of the C interface's arguments, checked once at the edge.
enum Arguments {
    /// The bytes of a NUL-terminated string; nil for NULL.
    @inline(never)
    static func text(_ pointer: UnsafePointer<CChar>?) -> [UInt8]? {
        guard let pointer else { return nil }
        var bytes: [UInt8] = []
        var next = pointer
        while next.pointee != 0 {
            bytes.append(UInt8(bitPattern: next.pointee))
            next += 1
        }
        return bytes
    }

    /// A caller's buffer; nil if it is NULL but not empty, or larger than an address space holds.
    static func bytes(_ pointer: UnsafeRawPointer?, _ size: Int) -> UnsafeRawBufferPointer? {
        guard size >= 0, pointer != nil || size == 0 else { return nil }
        return UnsafeRawBufferPointer(start: pointer, count: size)
    }

    /// Writes all of a text, and a NUL behind it, or nothing; `size` gets to know how long it is in both cases.
    @inline(never)
    static func write(
        _ text: [UInt8], to buffer: UnsafeMutablePointer<CChar>?, capacity: Int, size: UnsafeMutablePointer<Int>?
    ) throws(ErrorDetails) {
        guard capacity >= 0, buffer != nil || capacity == 0 else { throw missing("buffer") }
        size?.pointee = text.count
        guard capacity > text.count, let buffer else {
            throw ErrorDetails(HW_E_BUFFER, HW_LAYER_NONE, "the buffer must hold \(text.count + 1) bytes")
        }
        for (index, byte) in text.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        buffer[text.count] = 0
    }

    static func missing(_ name: StaticString) -> ErrorDetails {
        .argument("\(name) is NULL")
    }
}

extension HandleTable.Lookup {
    /// The target, or the error that a handle like this gets.
    func get() throws(ErrorDetails) -> Target {
        switch self {
        case .found(let target): return target
        case .invalid: throw ErrorDetails(HW_E_HANDLE, HW_LAYER_NONE, "the handle is NULL, was released, or is not one of ours")
        case .forked:
            throw ErrorDetails(HW_E_FORKED, HW_LAYER_NONE, "the handle belongs to the parent process; open a connection in the child")
        }
    }
}

/// Runs the body of an exported function: its error becomes the status, and the details go to the caller's struct.
func exported(_ error: UnsafeMutablePointer<hw_error>? = nil, _ body: () throws(ErrorDetails) -> Void) -> hw_status {
    do throws(ErrorDetails) {
        try body()
        return hw_status(HW_OK)
    } catch let details {
        return details.report(to: error)
    }
}
