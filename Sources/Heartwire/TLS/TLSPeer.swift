import CSystem
import Session

/// Whoever is at the other end of a TLS connection: whether to trust it, and what its failures mean to whoever has to mend them.
protocol TLSPeer: AnyObject {
    /// Readies a connection of OpenSSL's for its handshake; false if there is no memory for that.
    func begin(_ ssl: OpaquePointer) -> Bool
    /// Once the handshake is done: what forbids to go on all the same.
    func objection(_ ssl: OpaquePointer, isResumed: Bool) -> TransportFailure?
    /// `code` is the socket's error, 0 if it has none; this thread's queue has OpenSSL's.
    func handshakeFailed(_ ssl: OpaquePointer, errno code: Int32) -> TransportFailure
    /// The connection was cut before it had brought any data: what that means if it means anything in particular.
    func cutBeforeData(errno code: Int32) -> TransportFailure?
    /// `code` is the oldest error of this thread's queue.
    func connectionBroke(_ code: UInt) -> TransportFailure
    /// The connection is over, and its session may be resumed.
    func ended(_ ssl: OpaquePointer)
}
