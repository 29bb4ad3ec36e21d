/// A small deterministic generator (SplitMix64) for jitter and salts. The seed comes from outside; masking keys and handshake keys
/// do not come from here, they need a cryptographic source.
package struct Random {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// A value from 0 to `limit`, both included.
    package mutating func next(through limit: UInt64) -> UInt64 {
        guard limit < UInt64.max else { return next() }
        return next().multipliedFullWidth(by: limit &+ 1).high
    }
}
