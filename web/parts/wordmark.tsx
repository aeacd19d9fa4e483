/** The project's logo, a retort, and its name. */
export function Wordmark({ to }: { to?: string }) {
  const content = (
    <>
      <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
        <path
          d="M8.2 4.2c3.1-1 6.300.2 8.200 2.600l5 12.200M8.200 4.200a7.200 7.200 0 1 0 6.300 12.800c1.700-1.500 2.300-3.600 1.900-5.700"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
        <path d="M2.300 13h11.400a5.800 5.800 0 0 1-11.400 0Z" fill="currentColor" stroke="none" />
      </svg>
      Retort
    </>
  );
  return to === undefined
    ? <span class="wordmark">{content}</span>
    : <a class="wordmark" href={to}>{content}</a>;
}
