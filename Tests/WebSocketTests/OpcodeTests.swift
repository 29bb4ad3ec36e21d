import Testing
import WebSocket

struct OpcodeTests {
    @Test func knowsTheOpcodesOfTheRFCAndNoOthers() {
        for value in UInt8.min...UInt8.max {
            #expect((Opcode(rawValue: value) != nil) == [0, 1, 2, 8, 9, 10].contains(value))
        }
    }

    @Test func tellsControlFramesApart() {
        for opcode in [Opcode.close, .ping, .pong] { #expect(opcode.isControl) }
        for opcode in [Opcode.continuation, .text, .binary] { #expect(!opcode.isControl) }
    }

    @Test func givesEachKindItsOpcode() {
        #expect(MessageKind.text.opcode == .text)
        #expect(MessageKind.binary.opcode == .binary)
    }
}
