/** The rows as the hand-written peers read them: ids and times as text. */
export interface BrandRow {
  readonly id: string;
  readonly name: string;
}

export interface CampaignRow {
  readonly id: string;
  readonly brand_id: string;
  readonly title: string;
  readonly body: string;
}

export interface EventRow {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly starts_at: string;
}
