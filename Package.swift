// swift-tools-version: 6.0
import PackageDescription

// The shipped library is built as Embedded Swift: no Swift runtime inside or beside it. Debug builds and tests are ordinary Swift; they also
// check exclusive access at run time, which a release does not: a failed check would kill the host. A release is small before it is fast, but for
// the functions marked @_optimize(speed), by which every message goes; what the compiler specializes loses the mark, as it does with static
// functions and initializers, which are @inline(__always) instead; what would be copied into several callers that need not be fast is
// @inline(never). Each function has a section of its own, so that the linker can leave out the many that nobody calls and make one of those
// that are alike. Objects carry no hash of what they were compiled from, which would be loaded with the library. No exception is thrown, so
// nothing needs unwind tables; those of C's inline functions would bring in all the others'.
let core: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded", .when(configuration: .release)),
    .unsafeFlags(
        [
            "-wmo", "-Osize", "-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections",
            "-Xfrontend", "-disable-incremental-llvm-codegen",
            "-Xcc", "-fno-asynchronous-unwind-tables",
        ], .when(configuration: .release)),
]

let package = Package(
    name: "heartwire",
    products: [
        .library(name: "heartwire", type: .dynamic, targets: ["Heartwire"])
    ],
    targets: [
        .systemLibrary(name: "CHeartwire", path: "include"),
        .systemLibrary(name: "CSystem"),
        .target(name: "WebSocket", swiftSettings: core),
        .target(
            name: "Heartbeat",
            dependencies: ["WebSocket"],
            exclude: ["Presets/README.md", "Rules/README.md"],
            swiftSettings: core
        ),
        .target(
            name: "Session", dependencies: ["WebSocket", "Heartbeat"], exclude: ["Opening/README.md"], swiftSettings: core),
        .target(
            name: "Heartwire",
            dependencies: ["WebSocket", "Heartbeat", "Session", "CHeartwire", "CSystem"],
            exclude: ["exports.map", "Monitor/monitor.html"],
            resources: [.embedInCode("Monitor/monitor.html.gz")],
            swiftSettings: core,
            linkerSettings: [
                .linkedLibrary("ssl"),
                .linkedLibrary("crypto"),
                .unsafeFlags(
                    [
                        "-enable-experimental-feature", "Embedded", "-use-ld=lld",
                        "-Xclang-linker", "-Wl,--version-script=\(Context.packageDirectory)/Sources/Heartwire/exports.map",
                        "-Xlinker", "-soname=libheartwire.so.0",
                        "-Xlinker", "--gc-sections",
                        "-Xlinker", "--icf=all",
                        "-Xlinker", "--no-undefined",
                        "-Xlinker", "-znodelete",
                        "-lm",
                    ], .when(configuration: .release)),
            ]
        ),
        .testTarget(name: "WebSocketTests", dependencies: ["WebSocket"]),
        .testTarget(name: "HeartbeatTests", dependencies: ["Heartbeat"]),
        .testTarget(name: "SessionTests", dependencies: ["Session"]),
        .testTarget(name: "HeartwireTests", dependencies: ["Heartwire", "CHeartwire"]),
    ]
)
