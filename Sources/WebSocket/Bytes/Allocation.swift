/// One block of raw memory, freed with its last reference. Every unsafe buffer of the pure layers lives in one of these.
///
/// A class, because Embedded Swift cannot run the deinit of another module's noncopyable struct. Its users keep `base` beside the
/// reference, so nothing is retained or checked where bytes move.
package final class Allocation {
    package let base: UnsafeMutableRawPointer

    package init(byteCount: Int) {
        base = .allocate(byteCount: byteCount, alignment: 16)
    }

    deinit {
        base.deallocate()
    }
}
