/// <reference lib="webworker" />
// Keeps the page's files at the first visit, and answers from them: the page then needs no network. Files and version are
// written into it when the page is built.
declare const self: ServiceWorkerGlobalScope;
declare const VERSION: string;
declare const FILES: readonly string[];

const CACHE = `retort-playground-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    // Past the browser's own cache: an old file beside new ones would be another page.
    await cache.addAll(
      FILES.map((file) => new Request(new URL(file, self.registration.scope), { cache: "reload" })),
    );
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const mine = new URL(self.registration.scope).pathname;
    for (const name of await caches.keys()) {
      if (name.startsWith("retort-playground-") && name !== CACHE && await isOf(name, mine)) {
        await caches.delete(name);
      }
    }
    await self.clients.claim();
  })());
});

/** Whether a cache is that of an older version of this page: a host may have several. */
async function isOf(name: string, path: string): Promise<boolean> {
  const [first] = await (await caches.open(name)).keys();
  return first === undefined || new URL(first.url).pathname.startsWith(path);
}

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
    return await cache.match(request, { ignoreSearch: true }) ?? await fetch(request);
  })());
});
