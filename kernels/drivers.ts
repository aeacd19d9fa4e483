/** Flags of dlopen in Linux: what is loaded already, never to be unloaded. */
const NOW = 0x2, NOLOAD = 0x4, NODELETE = 0x1000;

/** Where the name of a library is in what dl_iterate_phdr tells of it. */
const NAME = 8;

/**
 * Keeps the Vulkan drivers that are loaded until the process ends. A thread that ends gives its drivers back in its own time;
 * where they were unloaded while the process ends, it would call what they left to be called at its end, and die of it. Does
 * nothing where foreign functions are not allowed, or the system is another.
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
    // Another libc: whatever happens at the end, results are there by then.
  }
}
