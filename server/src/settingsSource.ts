/** Settings by document: asked of the client once, kept until it says that they changed. */
import { DEFAULT_SETTINGS, readSettings, type Settings } from './settings';

export class SettingsSource {
  private readonly known = new Map<string, Promise<Settings>>();
  /** The `bootpath` section of clients that send their settings instead of being asked. */
  private sent: unknown = undefined;

  /** `ask` gets the `bootpath` section for a document; null where the client cannot be asked. */
  constructor(
    private readonly ask: () => ((uri: string) => Promise<unknown>) | null,
    private readonly log: (line: string) => void,
  ) {}

  get(uri: string): Promise<Settings> {
    const known = this.known.get(uri);
    if (known) return known;
    const settings = this.read(uri);
    this.known.set(uri, settings);
    return settings;
  }

  /** Takes what came with `initialize` or `didChangeConfiguration`: the section itself, or an object that holds it. */
  send(settings: unknown): void {
    this.known.clear();
    if (settings === null || typeof settings !== 'object') return;
    this.sent = 'bootpath' in settings ? settings.bootpath : settings;
  }

  forget(uri: string): void {
    this.known.delete(uri);
  }

  private async read(uri: string): Promise<Settings> {
    const ask = this.ask();
    try {
      return readSettings((ask ? await ask(uri) : this.sent) ?? {}, this.log);
    } catch (error) {
      this.log(`the client does not tell its settings, so the defaults hold: ${String(error)}`);
      return DEFAULT_SETTINGS;
    }
  }
}
