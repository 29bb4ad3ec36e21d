import Testing
import WebSocket

struct NameSearchTests {
    private let names = ["kraken-futures", "kraken-v1", "okx", "gate"].map { bytes($0) }

    @Test func findsEachNameAtItsPlace() {
        for (index, name) in names.enumerated() {
            let found = NameSearch.find(name, in: names)
            #expect(found.index == index)
            #expect(found.suggestion == nil)
        }
    }

    @Test(arguments: [
        ("okex", "okx"), ("OKX", nil), ("gaet", "gate"), ("kraken-v2", "kraken-v1"),
        // What goes on where the name ends comes before what differs in few letters.
        ("kraken", "kraken-futures"), ("kra", "kraken-futures"), ("kr", nil),
        ("", nil), ("zzzzzzzz", nil), (String(repeating: "okx", count: 40), nil),
    ])
    func suggestsWhatWasProbablyMeant(name: String, suggestion: String?) {
        let found = NameSearch.find(bytes(name), in: names)
        #expect(found.index == nil)
        #expect(found.suggestion == suggestion)
    }

    @Test func findsNothingInAnEmptyTable() {
        let found = NameSearch.find(bytes("okx"), in: [])
        #expect(found.index == nil)
        #expect(found.suggestion == nil)
    }
}
