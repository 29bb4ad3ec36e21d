import WebSocket

/// Why a client that connected was not accepted, with the HTTP answer that says so.
package struct AcceptFailure {
    package let status: UInt16
    package let sentence: String
    /// The whole answer.
    package let response: [UInt8]

    package init(_ error: RequestError) {
        status = error.status
        sentence = error.sentence
        response = error.response
    }

    package init(status: UInt16, sentence: String) {
        self.status = status
        self.sentence = sentence
        response = ServerHandshake.refusal(status: status, body: (sentence + "\n").bytes)
    }
}
