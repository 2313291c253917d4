/**
 * Whether a photograph is fit to be judged, without a network. `melanoma_edge/data/quality.py` defines the measures;
 * these are the same numbers to the bit: integers below 2^53 up to one division or square root in float64.
 */
export interface Measures {
    readonly focus: number;
    readonly luminance: number;
    readonly shadows: number;
    readonly highlights: number;
    readonly area: number;
    readonly contrast: number;
    readonly offset: number;
    readonly cut: number;
}
/** What the capture block of policy.json says. */
export interface CapturePolicy {
    readonly version: number;
    readonly limits: Readonly<Record<Limit, number>>;
    /** English words by code. */
    readonly advice: Readonly<Record<string, string>>;
}
type Limit = 'min_focus' | 'min_luminance' | 'max_luminance' | 'max_shadows' | 'max_highlights' | 'min_area' | 'min_contrast' | 'max_offset' | 'max_cut';
export interface Quality {
    readonly measures: Measures;
    /** Codes of what to do better, most urgent first; none when the photograph is fit, or the policy has no limits. */
    readonly advice: readonly string[];
}
/** Measures and advice for uint8 RGB pixels `[size, size, 3]`. */
export declare function assess(pixels: Uint8Array, size: number, policy?: CapturePolicy): Quality;
/** The measures of uint8 RGB pixels `[size, size, 3]`. */
export declare function measure(pixels: Uint8Array, size: number): Measures;
export {};
