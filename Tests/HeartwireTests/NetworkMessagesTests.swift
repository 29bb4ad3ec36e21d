import Testing

@testable import Heartwire

struct NetworkMessagesTests {
    private static let newAddress: UInt16 = 20
    private static let removedAddress: UInt16 = 21
    private static let newRoute: UInt16 = 24
    private static let removedRoute: UInt16 = 25

    private var messages = NetworkMessages()

    private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { [UInt8]($0) } }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }

    private static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        padded(bytes(UInt16(4 + value.count)) + bytes(type) + value)
    }

    /// struct nlmsghdr, with a number that differs each time.
    private static func message(_ type: UInt16, _ body: [UInt8], sequence: UInt32 = 0) -> [UInt8] {
        bytes(UInt32(16 + body.count)) + bytes(type) + [0, 0] + bytes(sequence) + bytes(UInt32(7)) + padded(body)
    }

    /// struct ifaddrmsg with IFA_ADDRESS and IFA_CACHEINFO.
    private static func address(_ last: UInt8 = 1, scope: UInt8 = 0, age: UInt8 = 0) -> [UInt8] {
        [2, 24, 0x80, scope] + bytes(UInt32(2)) + attribute(1, [10, 0, 0, last]) + attribute(6, [UInt8](repeating: age, count: 16))
    }

    /// struct rtmsg with RTA_DST and RTA_CACHEINFO.
    private static func route(_ last: UInt8 = 0, table: UInt8 = 254, flags: UInt32 = 0, age: UInt8 = 0) -> [UInt8] {
        [2, 24, 0, 0, table, 3, 0, 1] + bytes(flags) + attribute(1, [10, 1, last, 0]) + attribute(12, [UInt8](repeating: age, count: 32))
    }

    private mutating func tellOfChange(_ datagram: [UInt8]) -> Bool {
        datagram.withUnsafeBytes { messages.tellOfChange($0) }
    }

    @Test mutating func addressesAndRoutesThatComeAndGoAreChanges() {
        #expect(tellOfChange(Self.message(Self.newAddress, Self.address())))
        #expect(tellOfChange(Self.message(Self.newAddress, Self.address(2))))
        #expect(tellOfChange(Self.message(Self.newRoute, Self.route())))
        #expect(tellOfChange(Self.message(Self.removedRoute, Self.route())))
        #expect(tellOfChange(Self.message(Self.removedAddress, Self.address())))
    }

    @Test mutating func whatIsReportedAgainIsNone() {
        #expect(tellOfChange(Self.message(Self.newAddress, Self.address())))
        #expect(tellOfChange(Self.message(Self.newRoute, Self.route())))
        for age in 1...200 as ClosedRange<UInt8> {
            #expect(!tellOfChange(Self.message(Self.newAddress, Self.address(age: age), sequence: UInt32(age))))
            #expect(!tellOfChange(Self.message(Self.newRoute, Self.route(age: age), sequence: UInt32(age))))
        }
    }

    @Test mutating func whatComesBackIsOneAgain() {
        #expect(tellOfChange(Self.message(Self.newAddress, Self.address())))
        #expect(tellOfChange(Self.message(Self.removedAddress, Self.address())))
        #expect(tellOfChange(Self.message(Self.newAddress, Self.address())))
    }

    @Test mutating func whatConcernsNoOtherMachineIsNone() {
        #expect(!tellOfChange(Self.message(Self.newAddress, Self.address(scope: 253))))
        #expect(!tellOfChange(Self.message(Self.removedAddress, Self.address(scope: 254))))
        #expect(!tellOfChange(Self.message(Self.newRoute, Self.route(table: 255))))
        #expect(!tellOfChange(Self.message(Self.removedRoute, Self.route(flags: 0x200))))
        #expect(!tellOfChange(Self.message(16, Self.address())))
    }

    @Test mutating func everyMessageOfADatagramIsRead() {
        let first = Self.message(16, [1, 2, 3])
        #expect(tellOfChange(first + Self.message(Self.newAddress, Self.address())))
        #expect(tellOfChange(Self.message(Self.newAddress, Self.address(2)) + first))
        #expect(tellOfChange(Self.message(4, [])))
    }

    @Test mutating func memoryIsBounded() {
        for number in 0..<100_000 as Range<UInt32> {
            var body = Self.address()
            body.replaceSubrange(4..<8, with: Self.bytes(number))
            #expect(tellOfChange(Self.message(Self.newAddress, body)))
        }
    }

    @Test mutating func nothingMalformedIsReadBeyondItsEnd() {
        let datagram = Self.message(Self.newRoute, Self.route()) + Self.message(Self.newAddress, Self.address())
        for end in datagram.indices { _ = tellOfChange([UInt8](datagram[..<end])) }
        for index in datagram.indices {
            for value in [0, 1, 3, 15, 17, 0x7F, 0xFF] as [UInt8] {
                var changed = datagram
                changed[index] = value
                _ = tellOfChange(changed)
            }
        }
    }
}
