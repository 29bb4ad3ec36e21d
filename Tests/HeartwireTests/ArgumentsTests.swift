import CHeartwire
import Testing

@testable import Heartwire

struct ArgumentsTests {
    @Test func readsStringsUpToTheirEnd() {
        #expect(Arguments.text(nil) == nil)
        "gr\u{FC}n".withCString { #expect(Arguments.text($0) == bytes("gr\u{FC}n")) }
        "".withCString { #expect(Arguments.text($0) == []) }
    }

    @Test func takesBuffersThatCanExist() {
        let byte: [UInt8] = [1]
        byte.withUnsafeBytes { buffer in
            #expect(Arguments.bytes(buffer.baseAddress, 1)?.count == 1)
            #expect(Arguments.bytes(buffer.baseAddress, -1)?.count == nil)
        }
        #expect(Arguments.bytes(nil, 0)?.count == 0)
        #expect(Arguments.bytes(nil, 1)?.count == nil)
    }

    @Test func turnsErrorsIntoStatuses() {
        var error = hw_error()
        error.struct_size = UInt32(MemoryLayout<hw_error>.size)
        let failed = exported(&error) { () throws(ErrorDetails) in throw Arguments.missing("out") }
        #expect(failed == hw_status(HW_E_ARGUMENT))
        #expect(error.status == failed)
        #expect(exported { () throws(ErrorDetails) in } == hw_status(HW_OK))
    }
}
