/** The order of the examples: what the start prints, and what `create-order` sends when nothing else is said. */
export const SAMPLE = {
  customer_name: 'John Doe',
  customer_email: 'john@example.com',
  items: [
    { product: 'Laptop', quantity: 1, price: 999.99 },
    { product: 'Mouse', quantity: 2, price: 25 },
  ],
  total_amount: 1049.99,
}
