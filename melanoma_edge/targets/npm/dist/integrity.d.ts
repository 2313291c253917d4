/** Where the package's assets are: a URL of a folder, or a function that gives the bytes of a named file. */
export type Assets = string | URL | ((name: string) => Promise<ArrayBuffer>);
/** A file of the manifest. */
export interface Listed {
    readonly sha256: string;
    readonly bytes: number;
}
/** The bytes of `name`, checked. Throws ClassifierError `fetch` or `integrity`. */
export declare function load(assets: Assets, name: string, listed: Listed): Promise<Uint8Array<ArrayBuffer>>;
/** Hex SHA-256. Throws ClassifierError `usage` where the page has no Web Crypto. */
export declare function sha256(data: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string>;
