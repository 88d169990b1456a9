import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.bson.Document;

/**
 * The index of `_id`, used for filters that ask for more besides: a guarded write would read the whole collection otherwise.
 * What it finds is compared with the whole filter by whoever asks.
 */
class ById<P> extends Index<P> {
  private final Index<P> index;

  private ById(Index<P> index) {
    super(index.getName(), index.getKeys(), false);
    this.index = index;
  }

  static <P> Index<P> over(Index<P> index) {
    boolean isId = index.getKeys().size() == 1 && index.getKeys().get(0).getKey().equals("_id");
    return isId ? new ById<>(index) : index;
  }

  private static Document idOf(Document query) {
    return new Document("_id", query.get("_id"));
  }

  @Override
  public boolean canHandle(Document query) {
    return index.canHandle(query) || (query.get("_id") instanceof String && index.canHandle(idOf(query)));
  }

  @Override
  public Iterable<P> getPositions(Document query) {
    return index.getPositions(index.canHandle(query) ? query : idOf(query));
  }

  @Override
  public P getPosition(Document document) {
    return index.getPosition(document);
  }

  @Override
  public void checkAdd(Document document, MongoCollection<P> collection) {
    index.checkAdd(document, collection);
  }

  @Override
  public void add(Document document, P position, MongoCollection<P> collection) {
    index.add(document, position, collection);
  }

  @Override
  public P remove(Document document) {
    return index.remove(document);
  }

  @Override
  public long getCount() {
    return index.getCount();
  }

  @Override
  public boolean isEmpty() {
    return index.isEmpty();
  }

  @Override
  public long getDataSize() {
    return index.getDataSize();
  }

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<P> collection) {
    index.checkUpdate(before, after, collection);
  }

  @Override
  public void updateInPlace(Document before, Document after, P position, MongoCollection<P> collection) {
    index.updateInPlace(before, after, position, collection);
  }

  @Override
  public boolean isUnique() {
    return index.isUnique();
  }

  @Override
  public Document toIndexDescription() {
    return index.toIndexDescription();
  }

  @Override
  public void drop() {
    index.drop();
  }
}
