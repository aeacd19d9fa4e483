/** Choice of the page's theme; who shows it keeps what is chosen. */
export function ThemeChoice(
  { chosen, onChoose }: { chosen?: string; onChoose?: (theme: string) => void },
) {
  return (
    <label class="theme">
      <span class="hidden">Theme</span>
      <select
        id="theme"
        {...chosen === undefined ? {} : { defaultValue: chosen }}
        onChange={(event) => onChoose?.(event.currentTarget.value)}
      >
        <option value="">system theme</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}
