import Session

/// The line of one of a session's places, and the attempt to open it.
final class Channel {
    let place: LinkPlace
    var line: Line?
    /// Tells the present attempt from earlier ones and from the other place's.
    var serial = 0
    var isReadingPaused = false
    var waitsToWrite = false
    var writeFailed = false

    init(_ place: LinkPlace) {
        self.place = place
    }

    func close(isReset: Bool) {
        line?.closeClient(isReset: isReset)
        line = nil
        (waitsToWrite, writeFailed, isReadingPaused) = (false, false, false)
    }
}
