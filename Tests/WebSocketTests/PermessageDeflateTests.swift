import Testing
import WebSocket

struct PermessageDeflateTests {
    private func parameters(
        client: Int = 15, server: Int = 15, clientTakeover: Bool = true, serverTakeover: Bool = true
    ) -> DeflateParameters {
        var result = DeflateParameters()
        result.clientWindowBits = client
        result.serverWindowBits = server
        result.clientContextTakeover = clientTakeover
        result.serverContextTakeover = serverTakeover
        return result
    }

    private func agreed(_ answers: [String], offer: DeflateParameters? = DeflateParameters()) throws -> DeflateParameters? {
        try PermessageDeflate.agreed(answers.map { bytes($0)[...] }, offer: offer)
    }

    @Test func offersWhatIsWanted() {
        #expect(PermessageDeflate.offer(DeflateParameters()) == bytes("permessage-deflate; client_max_window_bits"))
        let all = parameters(client: 9, server: 10, clientTakeover: false, serverTakeover: false)
        let text =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9"
        #expect(PermessageDeflate.offer(all) == bytes(text))
    }

    @Test func takesAnAnswerWithinTheOffer() throws {
        #expect(try agreed([]) == nil)
        #expect(try agreed([" , "]) == nil)
        #expect(try agreed(["permessage-deflate"]) == parameters())
        #expect(try agreed(["Permessage-Deflate ; Client_No_Context_Takeover"]) == parameters(clientTakeover: false))
        #expect(try agreed(["permessage-deflate; server_no_context_takeover"]) == parameters(serverTakeover: false))
        #expect(try agreed(["permessage-deflate; client_max_window_bits=8"]) == parameters(client: 8))
        #expect(try agreed(["permessage-deflate; server_max_window_bits=\"12\""]) == parameters(server: 12))
        let limited = parameters(client: 11, server: 12, serverTakeover: false)
        let answer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=11"
        #expect(try agreed([answer], offer: limited) == parameters(client: 11, server: 9, serverTakeover: false))
        // The client limits itself, whatever the server says about it.
        let own = parameters(client: 10, clientTakeover: false)
        #expect(try agreed(["permessage-deflate"], offer: own) == own)
    }

    @Test(arguments: ["permessage-deflate", "x-webkit-deflate-frame", "permessage-deflate, permessage-deflate"])
    func refusesExtensionsThatWereNotOffered(answer: String) {
        #expect(throws: HandshakeError.unaskedExtension) { try agreed([answer], offer: nil) }
        if answer != "permessage-deflate" { #expect(throws: HandshakeError.unaskedExtension) { try agreed([answer]) } }
        #expect(throws: HandshakeError.unaskedExtension) { try agreed(["permessage-deflate", answer]) }
    }

    @Test(arguments: [
        "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=1000000000000000000000",
        "server_max_window_bits=-8", "server_max_window_bits=+9", "server_max_window_bits=09", "server_max_window_bits=0x9",
        "server_max_window_bits=", "server_max_window_bits", "server_max_window_bits=\"", "server_max_window_bits=9 9",
        "client_max_window_bits", "client_max_window_bits=0", "client_max_window_bits=16", "client_max_window_bits=\"\"",
        "server_no_context_takeover=1", "client_no_context_takeover=", "mystery", "", ";", "=", "=15",
        "client_max_window_bits=9; client_max_window_bits=9", "server_max_window_bits=9; server_max_window_bits=10",
        "server_no_context_takeover; server_no_context_takeover", "client_no_context_takeover; client_no_context_takeover",
    ])
    func refusesParametersThatFitNoOffer(parameter: String) {
        #expect(throws: HandshakeError.invalidExtensionParameters) { try agreed(["permessage-deflate; " + parameter]) }
        #expect(
            PermessageDeflate.accept([bytes("permessage-deflate; " + parameter)[...]], limits: parameters()) == nil
                || parameter == "client_max_window_bits")
    }

    @Test func refusesAnAnswerThatIgnoresWhatWasAskedOfTheServer() {
        for (answer, offer) in [
            ("permessage-deflate", parameters(server: 14)), ("permessage-deflate; server_max_window_bits=15", parameters(server: 14)),
            ("permessage-deflate", parameters(serverTakeover: false)),
            ("permessage-deflate; client_max_window_bits=12", parameters(client: 11)),
        ] {
            #expect(throws: HandshakeError.invalidExtensionParameters) { try agreed([answer], offer: offer) }
        }
    }

    @Test func serverTakesTheFirstOfferItCanMeet() throws {
        func accept(_ offers: [String], _ limits: DeflateParameters) -> (parameters: DeflateParameters, answer: String)? {
            PermessageDeflate.accept(offers.map { bytes($0)[...] }, limits: limits).map {
                ($0.parameters, String(decoding: $0.answer, as: UTF8.self))
            }
        }
        #expect(accept([], parameters()) == nil)
        #expect(accept(["other; a=b"], parameters()) == nil)
        #expect(try #require(accept(["other, permessage-deflate"], parameters())) == (parameters(), "permessage-deflate"))
        let bounded = try #require(
            accept(["permessage-deflate; server_max_window_bits=10; client_max_window_bits"], parameters(client: 12)))
        #expect(bounded.parameters == parameters(client: 12, server: 10))
        #expect(bounded.answer == "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12")
        // A client that cannot limit its window meets its second offer.
        let second = accept(["permessage-deflate", "permessage-deflate; client_max_window_bits=13"], parameters(client: 12))
        #expect(try #require(second).answer == "permessage-deflate; client_max_window_bits=12")
        let fresh = accept(["permessage-deflate; server_no_context_takeover; client_no_context_takeover"], parameters())
        #expect(try #require(fresh).answer == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    }

    /// Whatever a client offers and a server allows, both ends come to the same agreement.
    @Test func bothEndsAgree() throws {
        for bits in [(9, 15), (15, 9), (12, 12), (15, 15)] {
            for takeover in [(true, true), (true, false), (false, true), (false, false)] {
                let offer = parameters(client: bits.0, server: bits.1, clientTakeover: takeover.0, serverTakeover: takeover.1)
                for limits in [parameters(), parameters(client: 10, server: 11, clientTakeover: false, serverTakeover: false)] {
                    let (chosen, answer) = try #require(PermessageDeflate.accept([PermessageDeflate.offer(offer)[...]], limits: limits))
                    #expect(try PermessageDeflate.agreed([answer[...]], offer: offer) == chosen)
                }
            }
        }
    }
}
