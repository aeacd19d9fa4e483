/** Flags of dlopen on Linux: return a handle only if already loaded (NOLOAD), and never unload (NODELETE). */
const NOW = 0x2, NOLOAD = 0x4, NODELETE = 0x1000;

/** Byte offset of the library name in the struct that dl_iterate_phdr passes. */
const NAME = 8;

/**
 * Keeps the loaded Vulkan drivers in memory until the process ends. A thread that ends releases its drivers
 * asynchronously; if they were unloaded while the process exits, it would call exit handlers that no longer exist and
 * crash. Does nothing without permission for foreign functions, or on other systems.
 */
export function keepVulkanDrivers(): void {
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
  try {
    const libc = Deno.dlopen("libc.so.6", {
      dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
      dl_iterate_phdr: { parameters: ["function", "pointer"], result: "i32" },
    });
    const names: string[] = [];
    const visit = new Deno.UnsafeCallback(
      { parameters: ["pointer", "usize", "pointer"], result: "i32" },
      (info) => {
        const name = info && new Deno.UnsafePointerView(info).getPointer(NAME);
        if (name) names.push(Deno.UnsafePointerView.getCString(name));
        return 0;
      },
    );
    libc.symbols.dl_iterate_phdr(visit.pointer, null);
    visit.close();
    for (const name of names.filter((name) => /\blibvulkan[^/]*$/.test(name))) {
      libc.symbols.dlopen(new TextEncoder().encode(`${name}\0`), NOW | NOLOAD | NODELETE);
    }
    libc.close();
  } catch {
    // Another libc. Should the exit crash, results have been written by then.
  }
}
