import CSystem
import Testing

@testable import Heartwire

struct AddressMemoryTests {
    private func address(_ text: String, port: UInt16 = 80) throws -> SocketAddress {
        var addresses: [SocketAddress] = []
        if case .addresses(let found)? = Resolver.numeric(bytes(text), port: port) { addresses = found }
        return try #require(addresses.first)
    }

    @Test func keepsWhatLedToAnOpenConnection() throws {
        let memory = AddressMemory()
        #expect(memory.good?.text == nil)
        memory.connected(to: try address("127.0.0.1"))
        #expect(memory.good?.text == nil)
        memory.opened()
        #expect(memory.good?.text == "127.0.0.1:80")
    }

    @Test func forgetsWhatConnectsAndDoesNotOpen() throws {
        let memory = AddressMemory()
        memory.connected(to: try address("::1"))
        memory.opened()
        memory.connected(to: try address("::1"))
        #expect(memory.good?.text == nil)
    }

    @Test func comparesFamilyAddressAndPort() throws {
        #expect(try address("127.0.0.1").equals(try address("127.0.0.1")))
        #expect(try !address("127.0.0.1").equals(try address("127.0.0.2")))
        #expect(try !address("127.0.0.1").equals(try address("::1")))
        #expect(try !address("127.0.0.1").equals(try address("127.0.0.1", port: 81)))
    }
}
