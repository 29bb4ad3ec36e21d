import CSystem

/// zlib, loaded when a connection first wants compression. Where it is missing, compression is simply not offered.
struct Zlib: @unchecked Sendable {
    typealias Stream = UnsafeMutablePointer<hws_z_stream>

    let inflateInit: @convention(c) (Stream?, Int32, UnsafePointer<CChar>?, Int32) -> Int32
    let inflate: @convention(c) (Stream?, Int32) -> Int32
    let inflateReset: @convention(c) (Stream?) -> Int32
    /// As inflateReset, but the window stays.
    let inflateResetKeep: @convention(c) (Stream?) -> Int32
    let inflateEnd: @convention(c) (Stream?) -> Int32
    let deflateInit: @convention(c) (Stream?, Int32, Int32, Int32, Int32, Int32, UnsafePointer<CChar>?, Int32) -> Int32
    let deflate: @convention(c) (Stream?, Int32) -> Int32
    let deflateReset: @convention(c) (Stream?) -> Int32
    let deflateEnd: @convention(c) (Stream?) -> Int32

    static let missing = "compression is on, but libz.so.1 could not be loaded: none is offered; install zlib (Debian: zlib1g)"

    /// Nil if the system has no zlib.
    static let shared: Zlib? = Zlib()

    private init?() {
        guard let library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL),
            let inflateInit = dlsym(library, "inflateInit2_"), let inflate = dlsym(library, "inflate"),
            let inflateReset = dlsym(library, "inflateReset"), let inflateResetKeep = dlsym(library, "inflateResetKeep"),
            let inflateEnd = dlsym(library, "inflateEnd"), let deflateInit = dlsym(library, "deflateInit2_"),
            let deflate = dlsym(library, "deflate"), let deflateReset = dlsym(library, "deflateReset"),
            let deflateEnd = dlsym(library, "deflateEnd")
        else { return nil }
        self.inflateInit = unsafeBitCast(inflateInit, to: type(of: self.inflateInit))
        self.inflate = unsafeBitCast(inflate, to: type(of: self.inflate))
        self.inflateReset = unsafeBitCast(inflateReset, to: type(of: self.inflateReset))
        self.inflateResetKeep = unsafeBitCast(inflateResetKeep, to: type(of: self.inflateResetKeep))
        self.inflateEnd = unsafeBitCast(inflateEnd, to: type(of: self.inflateEnd))
        self.deflateInit = unsafeBitCast(deflateInit, to: type(of: self.deflateInit))
        self.deflate = unsafeBitCast(deflate, to: type(of: self.deflate))
        self.deflateReset = unsafeBitCast(deflateReset, to: type(of: self.deflateReset))
        self.deflateEnd = unsafeBitCast(deflateEnd, to: type(of: self.deflateEnd))
    }

    // Constants of zlib.h.
    static let syncFlush: Int32 = 2
    static let finish: Int32 = 4
    static let ok: Int32 = 0
    static let streamEnd: Int32 = 1
    /// No progress was possible; nothing is wrong.
    static let bufferError: Int32 = -5
    static let methodDeflated: Int32 = 8
    static let levelDefault: Int32 = -1
    static let strategyDefault: Int32 = 0
    /// zlib compares only the first character with its own version.
    static let version = "1"
    static let streamSize = Int32(MemoryLayout<hws_z_stream>.size)
}
